#!/usr/bin/env bats
# The Debian package: what is in it, and that the same build gives the same bytes.
bats_require_minimum_version 1.5.0

setup() { folder=$(mktemp -d); }
teardown() { rm -rf --one-file-system "$folder"; }

@test "the package holds programs, units, completions and the manual page, twice the same" {
  run -0 "$VMCRED_SOURCE/packaging/build-deb" --build "$VMCRED_BUILD" --out "$folder/one"
  package=${lines[-1]}
  run -0 dpkg-deb --fsys-tarfile "$package"
  for file in usr/bin/vmcred usr/bin/vmcred-guest usr/lib/systemd/system/microvm@.service usr/lib/systemd/system/vmcred-activate.service \
    usr/lib/systemd/system/vmcred-memory.service \
    usr/share/bash-completion/completions/vmcred usr/share/man/man1/vmcred.1.gz usr/share/man/man1/vmcred-vars-generate.1.gz usr/share/man/man5/vmcred.toml.5.gz; do
    dpkg-deb --fsys-tarfile "$package" | tar -t "./$file"
  done
  dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/share/man/man1/vmcred.1.gz | gunzip | grep -q '^\.TH "vmcred" "1"'
  run -0 "$VMCRED_SOURCE/packaging/build-deb" --build "$VMCRED_BUILD" --out "$folder/two"
  cmp "$package" "$folder"/two/*.deb
}
