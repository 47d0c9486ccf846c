#!/usr/bin/env bats
# From systemd 260 a service gets new credentials by its reload alone: with the drop-in that `vmcred vm units --guest` writes.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/agent.bash
source "$VMCRED_SOURCE/tests/vm/agent.bash"

@test "R3: a reload gives the running service the new value, by the drop-in that vmcred writes" {
  printf 'first' | secret refreshed ', services = ["vm-test-refreshed"], on-change = "reload"'
  IMAGE=none declare_guest vm-test-agent 'guest.systemd = 260'
  run -0 "$VMCRED" vm units vm-test-agent --guest overlay/etc/systemd/system
  grep -qx 'RefreshOnReload=credentials' overlay/etc/systemd/system/vm-test-refreshed.service.d/50-vmcred.conf
  mkdir -p overlay/etc/systemd/system/multi-user.target.wants
  # The folder that systemd mounts for it is another after a refresh; what the agent does to the old one leaves it the same.
  cat >overlay/etc/systemd/system/vm-test-refreshed.service <<'UNIT'
[Unit]
Description=Print the digest of a credential, and in which file system it lies, at its start and when it is reloaded

[Service]
ExecStart=/bin/sh -c 'say() { echo "$1 $(sha256sum <$CREDENTIALS_DIRECTORY/refreshed) in $(stat -c %%d $CREDENTIALS_DIRECTORY) by $$$$"; }; trap "say RELOADED" HUP; say STARTED; while :; do sleep 100000 & wait $!; done'
ExecReload=/bin/sh -c 'echo "RELOADER $(sha256sum <$CREDENTIALS_DIRECTORY/refreshed)"; kill -HUP $MAINPID'
UNIT
  ln -s ../vm-test-refreshed.service overlay/etc/systemd/system/multi-user.target.wants/
  agent_image --overlay "$PWD/overlay"
  [ "$(sed 's/[^0-9].*//' "$IMAGE/systemd")" -ge 260 ]
  start value
  await "STARTED $(digest refreshed)"
  for value in second third; do
    run -0 refresh refreshed "$value"
    await "RELOADER $(digest refreshed)"
    await "RELOADED $(digest refreshed)"
  done
  stop
  # One process all the time, and each value in another file system than the one before (a number may come back).
  sed -n 's/.*\(STARTED\|RELOADED\) .* in \([0-9]*\) by \([0-9]*\).*/\2 \3/p' log >seen
  cat seen
  [ "$(wc -l <seen)" = 3 ]
  [ "$(cut -d' ' -f1 seen | uniq | wc -l)" = 3 ]
  [ "$(cut -d' ' -f2 seen | sort -u | wc -l)" = 1 ]
}
