#!/bin/bash
# Stands in for vmcred inside microvm@NAME.service: writes down what it finds there, says READY and waits.
umask 077
cd "$STATE_DIRECTORY" || exit 1
for file in "$CREDENTIALS_DIRECTORY"/*; do
  printf '%s %s %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %a:%u "$file")" "${file##*/}"
done >credentials
stat -f -c %T "$CREDENTIALS_DIRECTORY" >credentials-filesystem
ls /dev >devices
id -u >uid
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status >status
ulimit -c >core-limit
echo "$RUNTIME_DIRECTORY" >runtime-directory
stat -c %a:%u "$RUNTIME_DIRECTORY" >>runtime-directory
# Each of these must fail.
{
  ls /run/vmcred.d && echo "sees the vars"
  ls /run/vmcred/vars/ && echo "sees the vars by their link"
  cat /var/lib/vmcred/key.txt && echo "reads the host's key"
  echo x >/etc/probe && echo "writes /etc"
  echo x >/run/probe && echo "writes /run"
  mount -t tmpfs tmpfs /mnt && echo "mounts"
  unshare --user true && echo "makes namespaces"
  ls /root/.bashrc /home/* && echo "sees homes"
  (exec 3<>/dev/tcp/127.0.0.1/22) && echo "reaches the network"
  dmesg && echo "reads the kernel's log"
} >allowed 2>denied
systemd-notify --ready
exec sleep infinity
