#!/usr/bin/env bats
# vmcred explain: the chain of each credential as text, data, graph and page; the page in a real Chromium.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice LC_ALL=C.UTF-8
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT COLUMNS
  mkdir home
}

example() {
  cp -r "$VMCRED_SOURCE/examples/$1" project
  cd project || return 1
  sed -i 's/test-vm/of-test-vm/' vmcred.toml # a name that nothing on this machine runs under
  "$VMCRED" init
  "$VMCRED" vars generate
}

# A project of VMS vms with 10 credentials each.
large() {
  local i j
  printf '[machines.h]\n'
  for ((i = 0; i < $1; i++)); do
    printf '[generators.vm-%d-secrets]\n' "$i"
    for ((j = 0; j < 10; j++)); do echo "files.secret-$j = {}"; done
    printf '[vms.vm-%d]\nkernel = "guest/vmlinuz"\n[vms.vm-%d.credentials]\n' "$i" "$i"
    for ((j = 0; j < 10; j++)); do echo "secret-$j = { from = \"vm-$i-secrets/secret-$j\", services = [\"app-$j\"] }"; done
  done
}

@test "the chain of a vm is drawn from generator to service" {
  example test-vm
  run -0 --separate-stderr "$VMCRED" explain of-test-vm
  [[ ${lines[0]} == "of-test-vm on britton-desktop: qemu q35, guest systemd 252; not running here" ]]
  [[ $output == *"● of-test-vm-secrets ─┬─ ● api-key ─"*"─ ○ host-api-key ─"*"─ ● smbios 98 B ─"*"─ ○ API_KEY ─"*"─ ● demo-oem-credentials"* ]]
  run -0 --separate-stderr "$VMCRED" explain of-test-vm api-key
  [[ $output == *"LoadCredential=host-api-key:/run/vmcred/vars/per-machine/britton-desktop/of-test-vm-secrets/api-key"* ]]
  [[ $output == *"read by machine britton-desktop and user alice"* ]]
  COLUMNS=90 run -0 --separate-stderr "$VMCRED" explain
  for line in "${lines[@]}"; do [ "${#line}" -le 90 ] || return 1; done
  run -1 --separate-stderr "$VMCRED" explain of-tset-vm
  [[ $stderr == *"did you mean 'of-test-vm'?"* ]]
  run -2 "$VMCRED" explain --json --dot
}

@test "what is broken is drawn where it is" {
  cp -r "$VMCRED_SOURCE/examples/long-form" project
  sed -i 's/"jwt-secret:JWT_SECRET"/"jwt-secret:JWT-SECRET"/' project/vmcred.toml
  run -0 --separate-stderr "$VMCRED" --project project explain
  [[ $output == *"✖ api-key VC006"* ]]
  [[ $output == *"demo-oem-credentials loads 'JWT-SECRET' as 'jwt-secret', which the vm does not receive"* ]]
  run -0 --separate-stderr "$VMCRED" --project project explain --json
  [ "$(jq -r '.vms[0].credentials[] | select(.guest == "API_KEY") | .steps.store' <<<"$output")" = broken ]
  [ "$(jq -r '[.vms[0].findings[] as $n | .findings[$n].code] | join(" ")' <<<"$output")" = VC005 ]
}

@test "no view holds a value" {
  example test-vm
  canary=$("$VMCRED" vars get of-test-vm-secrets/api-key)
  [ "${#canary}" -ge 40 ]
  for view in "" --json --dot --html; do
    # shellcheck disable=SC2086
    run -0 --separate-stderr "$VMCRED" explain $view
    [[ $output != *"$canary"* && $output != *"$(base64 -w0 <<<"$canary" | head -c 40)"* ]] || return 1
  done
}

@test "the page of 100 vms with 10 credentials each is below 1 MiB" {
  mkdir project
  large 100 >project/vmcred.toml
  "$VMCRED" --project project explain --html >page.html
  [ "$(wc -c <page.html)" -lt 1048576 ]
  echo "# the page of 100 vms: $(wc -c <page.html) bytes" >&3
}

@test "the page works in Chromium: light, dark, on a phone, by keyboard, with hostile names" {
  if ! command -v chromium >/dev/null; then
    echo "# NOT RUN HERE: the page in a browser; Debian's package chromium is not installed" >&3
    return
  fi
  mkdir project
  cat >project/vmcred.toml <<'TOML'
[machines.h]
[generators."<img src=x onerror=document.title=1>"]
files.key = { mode = "0444" }
[vms.web]
kernel = "guest/vmlinuz"
credentials.key = { from = "<img src=x onerror=document.title=1>/key", services = ["app"] }
credentials.two = { from = "/etc/</script><script>document.title=1</script>", services = ["app", "proxy"] }
credentials.env = { value = "canary-production", services = ["app"] }
[vms.mail]
kernel = "guest/vmlinuz"
credentials.token = { from = "<img src=x onerror=document.title=1>/key", services = ["postfix"] }
TOML
  "$VMCRED" --project project explain --html >page.html
  python3 "$VMCRED_SOURCE/tests/e2e/explain_page.py" page.html "${VMCRED_PICTURES:-$BATS_TEST_TMPDIR}"
}
