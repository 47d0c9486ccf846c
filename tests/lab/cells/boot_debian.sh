# What the receipt costs a boot of a whole Debian, beside the bare boot, by turns; and a stop by the agent.
for i in $(seq 10); do head -c 32 /dev/urandom | secret "value-$i"; done
command_line="quiet root=/dev/vda ro systemd.wants=lab-mark.service"
debian=('memory = "512M"' 'kernel = "/lab/debian/vmlinuz"' 'initrd = "/lab/debian/initrd"' 'disks = [{ path = "/dev/vdb", read-only = true }]')
declare_vm "${debian[@]}"
sed '/^\[machines/d; s/vms\.v\b/vms.proven/' vmcred.toml >proven.toml
command_line+=" systemd.mask=vmcred-agent.service"
declare_vm 'guest.agent = false' 'receipt = "off"' "${debian[@]}"
sed 's/vms\.v\b/vms.bare/' vmcred.toml | cat - proven.toml >both.toml
mv both.toml vmcred.toml
python3 /lab/cells/boots.py bare proven "${ROUNDS:-10}"
