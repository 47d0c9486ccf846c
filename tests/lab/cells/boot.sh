# What the receipt costs a boot of the smallest guest, beside the bare boot, by turns; and a stop by the agent.
for i in $(seq 10); do head -c 32 /dev/urandom | secret "value-$i"; done
command_line="quiet systemd.wants=lab-mark.service"
declare_vm
sed '/^\[machines/d; s/vms\.v\b/vms.proven/' vmcred.toml >proven.toml
command_line+=" systemd.mask=vmcred-agent.service"
declare_vm 'guest.agent = false' 'receipt = "off"'
sed 's/vms\.v\b/vms.bare/' vmcred.toml | cat - proven.toml >both.toml
mv both.toml vmcred.toml
python3 /lab/cells/boots.py bare proven "${ROUNDS:-10}"
