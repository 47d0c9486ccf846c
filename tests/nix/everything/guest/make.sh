openssl rand -hex 16 > "$out/password"
