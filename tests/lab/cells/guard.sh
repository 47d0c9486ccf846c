# The guard, asked by the VMM's own client: what passes, what is refused.
printf 'x' | secret api-key ', services = ["lab-consumer"]'
declare_vm
start
await ": ready"
folder=/run/vmcred/vm/v
case $VMM in
qemu-*)
  python3 - "$folder/qmp.sock" <<'PY'
import json, socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(120)
client.connect(sys.argv[1])
stream = client.makefile("rw", newline="\n")
json.loads(stream.readline())
def ask(command, **arguments):
    stream.write(json.dumps({"execute": command, "arguments": arguments}))
    stream.flush()
    while "event" in (answer := json.loads(stream.readline())):
        pass
    return answer
ask("qmp_capabilities")
assert ask("query-status")["return"]["status"] == "running"
assert ask("query-kvm")["return"]["enabled"] is True
for command in "pmemsave", "dump-guest-memory", "human-monitor-command", "migrate":
    assert "does not let" in ask(command)["error"]["desc"], command
assert ask("stop") == {"return": {}} and ask("query-status")["return"]["status"] == "paused" and ask("cont") == {"return": {}}
PY
  line="QMP: query-status, query-kvm, stop, cont pass; pmemsave, dump-guest-memory, human-monitor-command, migrate are refused"
  ;;
cloud-hypervisor*)
  remote=${PROGRAM%/*}/ch-remote
  "$remote" --api-socket "$folder/api.sock" ping >said 2>&1 || fail "ch-remote ping: $(cat said)"
  "$remote" --api-socket "$folder/api.sock" info >said 2>&1 || fail "ch-remote info: $(cat said)"
  if grep -q io.systemd said; then fail "ch-remote info shows OEM strings"; fi
  "$remote" --api-socket "$folder/api.sock" pause >said 2>&1 || fail "ch-remote pause: $(cat said)"
  "$remote" --api-socket "$folder/api.sock" resume >said 2>&1 || fail "ch-remote resume: $(cat said)"
  if "$remote" --api-socket "$folder/api.sock" snapshot "file://$work" >said 2>&1; then fail "ch-remote snapshot passes"; fi
  line="ch-remote ping, info, pause, resume pass; snapshot: $(tr '\n' ' ' <said)"
  ;;
firecracker)
  api() { curl -s --unix-socket "$folder/api.sock" -o said -w '%{http_code}' "$@"; }
  [[ $(api http://localhost/) == 200 ]] || fail "GET /: $(cat said)"
  [[ $(api -X PATCH -d '{"state":"Paused"}' http://localhost/vm) == 204 ]] || fail "pause: $(cat said)"
  [[ $(api -X PATCH -d '{"state":"Resumed"}' http://localhost/vm) == 204 ]] || fail "resume: $(cat said)"
  [[ $(api -X PUT -d '{"snapshot_path":"s","mem_file_path":"m"}' http://localhost/snapshot/create) == 403 ]] || fail "snapshot: $(cat said)"
  [[ $(api -X PUT -d '{"level":"Debug"}' http://localhost/logger) == 403 ]] || fail "logger: $(cat said)"
  line="GET /, pause, resume pass; snapshot and logger are refused"
  ;;
esac
stop
yes "$line"
