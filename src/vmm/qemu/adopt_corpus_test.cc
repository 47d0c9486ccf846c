// Command lines as runners and managers of vms write them: each passes. Shortened where an option only repeats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "matchers.h"
#include "vmm/qemu/adopt.h"

namespace vmcred::vmm::qemu {
namespace {

using testing::Succeeds;

using Words = std::vector<std::string>;

/// One word a line.
Words words_of(std::string_view text) {
  Words words = {"qemu-system-x86_64"};
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (!line.empty()) words.emplace_back(line);
  }
  return words;
}

Result<Launch> adopted(const Words& words) {
  const Foreign foreign = {.argv = words};
  declare::Vm declared;
  declared.name = "test-vm";
  TRY_LET(const declare::Vm vm, describe(foreign, declared));
  return adopt(foreign, vm, credential::make_plan({.vm = vm, .sizes = {}}), {});
}

/// microvm.nix, lib/runners/qemu.nix: every option that any branch of it has written so far.
constexpr std::string_view kMicrovm[] = {
    "-name\nv\n-M\nmicrovm,accel=kvm:tcg,acpi=on,mem-merge=on,pcie=on,pic=off,pit=off,rtc=on,usb=off\n-m\n512M,maxmem="
    "1024M\n-smp\n2\n"
    "-nodefaults\n-no-user-config\n-no-reboot\n-kernel\nbzImage\n-initrd\ninitrd\n-chardev\nstdio,id=stdio,signal="
    "off\n-device\n"
    "virtio-rng-pci\n-smbios\ntype=1,uuid=7c6f1c8e-7f0c-4a39-8f93-000000000001\n-device\npcie-root-port,id=p1,bus=pcie."
    "0,chassis=1,slot=2,addr=0x3\n"
    "-device\nvfio-pci,host=0000:01:00.0,multifunction=on,id=g,bus=p1\n-device\nusb-host,vendorid=0x1,productid=0x2\n-"
    "fw_cfg\n"
    "name=opt/io.systemd.credentials/X,file=/run/"
    "x\n-serial\nchardev:stdio\n-enable-kvm\n-cpu\nhost,+x2apic,-sgx\n-device\ni8042\n"
    "-append\nearlyprintk=ttyS0 console=ttyS0 reboot=t "
    "panic=-1\n-drive\nid=store,format=raw,read-only=on,file=store.img,if=none,aio=io_uring\n"
    "-device\nvirtio-blk-pci,drive=store,disable-legacy=on\n-nographic\n-sandbox\non\n-run-with\nuser=microvm\n-"
    "qmp\nunix:v.sock,server,nowait\n"
    "-device\nvirtio-balloon-pci,free-page-reporting=on,id=balloon0,deflate-on-oom=on\n-device\nvirtio-balloon\n-"
    "object\n"
    "memory-backend-ram,id=vmem0,size=512M\n-device\nvirtio-mem-pci,id=vm0,memdev=vmem0,requested-size=0M\n-drive\n"
    "id=vda,format=raw,file=a.img,if=none,aio=io_uring,discard=unmap,cache=none,read-only=off\n-device\nvirtio-blk-pci,"
    "drive=vda,serial=x\n"
    "-numa\nnode,memdev=mem\n-object\nmemory-backend-memfd,id=mem,size=512M,share=on\n-chardev\nsocket,id=fs0,path=fs."
    "sock\n-device\n"
    "vhost-user-fs-pci,chardev=fs0,tag=store\n-fsdev\nlocal,id=fs1,path=/"
    "srv,security_model=none,readonly=true\n-device\n"
    "virtio-9p-pci,fsdev=fs1,mount_tag=srv\n-netdev\nuser,id=a,hostfwd=tcp:127.0.0.1:2222-:22,guestfwd=tcp:10.0.2.3:80-"
    "cmd:nc 127.0.0.1 80,\n-device\n"
    "virtio-net-pci,netdev=a,mac=02:00:00:00:00:01,romfile=\n-netdev\nbridge,id=b,br=virbr0,helper=/run/wrappers/bin/"
    "qemu-bridge-helper\n"
    "-netdev\ntap,id=c,ifname=c,script=no,downscript=no,vhost=on,queues=2\n-device\nvirtio-net-pci,netdev=c,mac=02:00:"
    "00:00:00:02,mq=on,vectors=6\n"
    "-device\nqemu-xhci\n-device\nvhost-vsock-pci,guest-cid=5\n",
    "-M\nq35,accel=kvm:tcg\n-m\n512\n-display\ngtk,gl=on\n-device\nvirtio-vga-gl,blob=true,hostmem=4G,venus=on\n-"
    "device\nqemu-xhci\n-device\nusb-tablet\n"
    "-device\nusb-kbd\n-display\negl-headless\n-device\nvirtio-gpu-gl,drm_native_context=on\n-usb\n-device\nusb-ehci\n-"
    "bios\nqboot/bios.bin\n",
    "-M\nmicrovm,x-option-roms=off,accel=kvm:tcg\n-m\n512\n-smp\n1\n-no-acpi\n-chardev\nstdio,mux=on,id=con0,signal="
    "off\n-serial\nchardev:con0\n"
    "-chardev\npty,id=con1\n-device\nvirtio-serial-device\n-device\nvirtconsole,chardev=con1\n-serial\nnull\n-"
    "user\nmicrovm\n-device\nvirtio-rng-device\n",
    "-M\nvirt,accel=kvm:tcg,gic-version=max\n-cpu\nhost\n-m\n512M\n-append\nconsole=ttyAMA0\n-device\nvirtio-net-"
    "device,netdev=n,mac=02:00:00:00:00:01\n"
    "-netdev\ntap,id=n,fds=3:4\n",
};

/// libvirt 9 to 11 (its tests' .args files are the pattern), with the monitor at a path.
constexpr std::string_view kLibvirt[] = {
    "-name\nguest=v,debug-threads=on\n-S\n-object\n{\"qom-type\":\"secret\",\"id\":\"masterKey0\",\"format\":\"raw\","
    "\"file\":\"/var/lib/libvirt/qemu/"
    "domain-1-v/master-key.aes\"}\n-blockdev\n{\"driver\":\"file\",\"filename\":\"/usr/share/OVMF/"
    "OVMF_CODE.fd\",\"node-name\":\"libvirt-pflash0-storage\","
    "\"auto-read-only\":true,\"discard\":\"unmap\"}\n-machine\npc-q35-7.2,usb=off,vmport=off,smm=on,dump-guest-core="
    "off,memory-backend=pc.ram,pflash0="
    "libvirt-pflash0-format,hpet=off,acpi=on\n-accel\nkvm\n-cpu\nhost,migratable=on\n-global\ndriver=cfi.pflash01,"
    "property=secure,value=on\n-m\n"
    "size=2097152k,slots=16,maxmem=4194304k\n-object\n{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\","
    "\"hugetlb\":true,\"hugetlbsize\":2097152,\"share\":"
    "true,\"x-use-canonical-path-for-ramblock-id\":false,\"prealloc\":true,\"size\":2147483648}\n-overcommit\nmem-lock="
    "off\n-smp\n"
    "2,sockets=2,cores=1,threads=1\n-object\n{\"qom-type\":\"iothread\",\"id\":\"iothread1\"}\n-uuid\nc7a5fdbd-edaf-"
    "9455-926a-d65c16db1809\n-display\nnone\n"
    "-no-user-config\n-nodefaults\n-chardev\nsocket,id=charmonitor,path=/var/lib/libvirt/qemu/domain-1-v/"
    "monitor.sock,server=on,wait=off\n-mon\n"
    "chardev=charmonitor,id=monitor,mode=control\n-rtc\nbase=utc,driftfix=slew\n-global\nkvm-pit.lost_tick_policy="
    "delay\n-no-shutdown\n-global\n"
    "ICH9-LPC.disable_s3=1\n-boot\nstrict=on\n-device\n{\"driver\":\"pcie-root-port\",\"port\":16,\"chassis\":1,\"id\":"
    "\"pci.1\",\"bus\":\"pcie.0\","
    "\"multifunction\":true,\"addr\":\"0x2\"}\n-device\n{\"driver\":\"qemu-xhci\",\"p2\":15,\"p3\":15,\"id\":\"usb\","
    "\"bus\":\"pci.2\",\"addr\":\"0x0\"}\n-device\n"
    "{\"driver\":\"virtio-serial-pci\",\"id\":\"virtio-serial0\",\"bus\":\"pci.3\",\"addr\":\"0x0\"}\n-netdev\n{"
    "\"type\":\"tap\",\"fd\":\"31\",\"vhost\":true,\"vhostfd\":\"33\","
    "\"id\":\"hostnet0\"}\n-device\n{\"driver\":\"virtio-net-pci\",\"netdev\":\"hostnet0\",\"id\":\"net0\",\"mac\":"
    "\"52:54:00:00:00:01\",\"bus\":\"pci.1\"}\n-chardev\npty,id="
    "charserial0\n-device\n{\"driver\":\"isa-serial\",\"chardev\":\"charserial0\",\"id\":\"serial0\",\"index\":0}\n-"
    "chardev\nsocket,id=chr-vu-fs0,path=/x/fs0.sock\n-device\n"
    "{\"driver\":\"vhost-user-fs-pci\",\"id\":\"fs0\",\"chardev\":\"chr-vu-fs0\",\"tag\":\"srv\"}\n-chardev\nspicevmc,"
    "id=charchannel0,name=vdagent\n-device\n"
    "{\"driver\":\"virtserialport\",\"bus\":\"virtio-serial0.0\",\"nr\":1,\"chardev\":\"charchannel0\",\"id\":"
    "\"channel0\",\"name\":\"com.redhat.spice.0\"}\n-audiodev\n"
    "{\"id\":\"audio1\",\"driver\":\"spice\"}\n-spice\nport=5900,addr=127.0.0.1,disable-ticketing=on,seamless-"
    "migration=on\n-device\n"
    "{\"driver\":\"virtio-balloon-pci\",\"id\":\"balloon0\",\"bus\":\"pci.5\"}\n-object\n{\"qom-type\":\"rng-random\","
    "\"id\":\"objrng0\",\"filename\":\"/dev/urandom\"}\n-device\n"
    "{\"driver\":\"virtio-rng-pci\",\"rng\":\"objrng0\",\"id\":\"rng0\"}\n-chardev\nsocket,id=chrtpm,path=/x/"
    "swtpm.sock\n-tpmdev\nemulator,id=tpm-tpm0,chardev=chrtpm\n-device\n"
    "{\"driver\":\"tpm-crb\",\"tpmdev\":\"tpm-tpm0\",\"id\":\"tpm0\"}\n-device\n{\"driver\":\"vhost-vsock-pci\",\"id\":"
    "\"vsock0\",\"guest-cid\":3,\"vhostfd\":\"34\"}\n-sandbox\n"
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny\n-smbios\ntype=0,vendor=x\n-smbios\ntype="
    "1,manufacturer=x,serial=y\n-watchdog-action\nreset\n"
    "-action\nreboot=shutdown\n-device\n{\"driver\":\"pvpanic\"}\n-device\n{\"driver\":\"vmgenid\",\"guid\":\"auto\","
    "\"id\":\"vmgenid0\"}\n-vnc\n127.0.0.1:0,audiodev=audio1\n"
    "-device\n{\"driver\":\"virtio-iommu-pci\"}\n-device\n{\"driver\":\"host-x86_64-cpu\",\"id\":\"vcpu2\"}\n-run-"
    "with\nasync-teardown=on\n-msg\ntimestamp=on\n",
    // Older ones, hugepages in both ways.
    "-name\nv\n-machine\npc-i440fx-5.2,accel=kvm\n-m\n1024\n-mem-prealloc\n-mem-path\n/dev/hugepages/libvirt/qemu/"
    "1-v\n-realtime\nmlock=off\n-smp\n1\n-no-acpi\n-boot\n"
    "order=c,menu=on\n-usb\n-drive\nfile=/"
    "x,format=qcow2,if=none,id=drive-ide0-0-0\n-device\nide-hd,bus=ide.0,drive=drive-ide0-0-0\n-soundhw\nac97\n",
    "-machine\npc-i440fx-6.2\n-m\n1024\n-object\n{\"qom-type\":\"memory-backend-file\",\"id\":\"ram-node0\",\"mem-"
    "path\":\"/dev/hugepages/libvirt/qemu/1-v\",\"share\":true,\"size\":1}\n"
    "-numa\nnode,nodeid=0,cpus=0,memdev=ram-node0\n-object\nmemory-backend-file,id=r1,mem-path=/var/lib/libvirt/qemu/"
    "ram/1-v/r1,share=no,size=1\n-nographic\n",
};

/// Proxmox VE 8 (`qm showcmd`).
constexpr std::string_view kProxmox[] = {
    "-id\n100\n-name\nv,debug-threads=on\n-no-shutdown\n-chardev\nsocket,id=qmp,path=/var/run/qemu-server/"
    "100.qmp,server=on,wait=off\n-mon\n"
    "chardev=qmp,mode=control\n-chardev\nsocket,id=qmp-event,path=/var/run/"
    "qmeventd.sock,reconnect=5\n-mon\nchardev=qmp-event,mode=control\n-pidfile\n"
    "/var/run/qemu-server/"
    "100.pid\n-daemonize\n-smbios\ntype=1,uuid=c7a5fdbd-edaf-9455-926a-d65c16db1809\n-smp\n4,sockets=1,cores=4,maxcpus="
    "4\n-nodefaults\n-boot\n"
    "menu=on,strict=on,reboot-timeout=1000,splash=/usr/share/qemu-server/bootsplash.jpg\n-vnc\nunix:/var/run/"
    "qemu-server/100.vnc,password=on\n-cpu\n"
    "kvm64,enforce,+kvm_pv_eoi\n-m\n4096\n-object\nmemory-backend-file,id=ram-node0,size=4096M,mem-path=/run/hugepages/"
    "kvm/2048kB,share=on,prealloc=yes\n-numa\n"
    "node,nodeid=0,cpus=0-3,memdev=ram-node0\n-object\niothread,id=iothread-virtioscsi0\n-global\nPIIX4_PM.disable_s3="
    "1\n-device\n"
    "pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e\n-device\nvmgenid,guid=c7a5fdbd-edaf-9455-926a-"
    "d65c16db1809\n-device\npiix3-usb-uhci,id=uhci\n-device\n"
    "usb-tablet,id=tablet,bus=uhci.0,port=1\n-device\nVGA,id=vga\n-chardev\nsocket,path=/var/run/qemu-server/"
    "100.qga,server=on,wait=off,id=qga0\n-device\n"
    "virtio-serial,id=qga0\n-device\nvirtserialport,chardev=qga0,name=org.qemu.guest_agent.0\n-device\nvirtio-balloon-"
    "pci,id=balloon0,free-page-reporting=on\n-iscsi\n"
    "initiator-name=iqn.1993-08.org.debian:01:x\n-drive\nif=none,id=drive-ide2,media=cdrom,aio=io_uring\n-device\nide-"
    "cd,bus=ide.1,drive=drive-ide2,id=ide2,bootindex=100\n"
    "-device\nvirtio-scsi-pci,id=virtioscsi0,iothread=iothread-virtioscsi0\n-device\nscsi-hd,bus=virtioscsi0.0,drive="
    "drive-scsi0,id=scsi0\n-netdev\n"
    "type=tap,id=net0,ifname=tap100i0,script=/var/lib/qemu-server/pve-bridge,downscript=/var/lib/qemu-server/"
    "pve-bridgedown,vhost=on\n-device\n"
    "virtio-net-pci,mac=BC:24:11:00:00:01,netdev=net0\n-machine\ntype=q35+pve0\n-rtc\nbase=localtime\n-audiodev\nspice,"
    "id=spice-backend0\n-device\nhda-duplex,audiodev=x\n-device\n"
    "ich9-intel-hda\n-tpmdev\nemulator,id=tpmdev,chardev=t\n-device\ntpm-tis,tpmdev=tpmdev\n-device\nvirtio-net-pci,"
    "netdev=x,queues=4\n-k\nde\n-spice\n"
    "tls-port=61000,addr=127.0.0.1,tls-ciphers=HIGH,seamless-migration=on\n",
};

/// Incus 6 and LXD 5, without the file of options.
constexpr std::string_view kIncus[] = {
    "-S\n-name\nv\n-uuid\nc7a5fdbd-edaf-9455-926a-d65c16db1809\n-daemonize\n-machine\nq35\n-cpu\nhost,hv_passthrough\n-"
    "nographic\n-serial\nchardev:console\n-nodefaults\n"
    "-no-user-config\n-sandbox\non,obsolete=deny,elevateprivileges=allow,spawn=allow,resourcecontrol=deny\n-"
    "spice\nunix=on,disable-ticketing=on,addr=/run/incus/v/qemu.spice\n"
    "-pidfile\n/run/incus/v/qemu.pid\n-D\n/var/log/incus/v/"
    "qemu.log\n-smbios\ntype=2,manufacturer=LinuxContainers,product=Incus\n-run-with\nuser=incus\n-runas\nincus\n-"
    "object\n"
    "memory-backend-memfd,id=mem0,size=1024M,share=on,host-nodes=0,policy=bind\n-numa\nnode,nodeid=0,memdev=mem0\n-"
    "chardev\nringbuf,id=console,size=1048576\n",
};

TEST(QemuCorpus, WhatOthersWritePasses) {
  for (const auto& [who, texts] : std::vector<std::pair<std::string, std::span<const std::string_view>>>{
           {"microvm.nix", kMicrovm}, {"libvirt", kLibvirt}, {"Proxmox", kProxmox}, {"Incus", kIncus}}) {
    for (const std::string_view text : texts) {
      SCOPED_TRACE(who);
      EXPECT_THAT(adopted(words_of(text)), Succeeds());
    }
  }
}

TEST(QemuCorpus, WhatTheSupervisorDoesItselfGoes) {
  const auto launch = adopted(words_of(kProxmox[0]));
  ASSERT_THAT(launch, Succeeds());
  for (const char* gone : {"-daemonize", "-no-shutdown", "chardev=qmp-event,mode=control"})
    EXPECT_EQ(std::ranges::count(launch->argv, gone), 0) << gone;
  EXPECT_EQ(std::ranges::count(launch->argv, "-S"), 1);
  // The socket that QEMU listens on is guarded; where it would have called somebody, nobody listens in its place.
  ASSERT_EQ(launch->guards.size(), 1U);
  EXPECT_EQ(launch->guards[0].path, "/var/run/qemu-server/100.qmp");
}

}  // namespace
}  // namespace vmcred::vmm::qemu
