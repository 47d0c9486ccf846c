# What the journeys in a project share. (sourced)

# new_project [HOME]: alice, with an empty home of that name (home), stands in an empty folder for her project.
new_project() {
  cd "$BATS_TEST_TMPDIR" || return 1
  unset XDG_CONFIG_HOME XDG_CACHE_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE SOPS_AGE_KEY_CMD CLAN_NO_COMMIT
  export HOME="$BATS_TEST_TMPDIR/${1:-home}" USER=alice
  mkdir -m 700 "$HOME" project
  cd project || return 1
}

# Adds standard input to the declaration.
declare_toml() { cat >>vmcred.toml; }

# What every file of the store holds.
digests() { find vars sops -type f -exec sha256sum {} + | sort; }
