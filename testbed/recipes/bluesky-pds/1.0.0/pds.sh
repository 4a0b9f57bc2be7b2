#!/bin/sh
# pds.sh run                 the server, and the server again after a restore: the container's program
# pds.sh answers             whether it serves requests: the healthcheck
# pds.sh backup|tidy|restore hooks of the backup bot, in this container
set -eu

data=/pds
copy=$data/backup
# Databases under this name take the place of the live ones before the next start, so that a restore which is cut
# short is finished by whatever start comes first.
incoming=$data/incoming

run() {
  PDS_JWT_SECRET=$(cat /run/secrets/jwt_secret)
  PDS_ADMIN_PASSWORD=$(cat /run/secrets/admin_pass)
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX=$(cat /run/secrets/plc_key)
  export PDS_JWT_SECRET PDS_ADMIN_PASSWORD PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX
  # Handles end with the host name where nothing else is said, and not with an empty text.
  [ -n "${PDS_SERVICE_HANDLE_DOMAINS:-}" ] || unset PDS_SERVICE_HANDLE_DOMAINS
  mkdir -p "$data/blocks"
  ending=
  child=
  trap 'ending=yes; end' TERM INT
  trap end HUP
  while [ -z "$ending" ]; do
    if [ -e "$incoming" ]; then
      rm -rf "$data"/*.sqlite* "$data/actors"
      cp -r "$incoming/." "$data"
      rm -rf "$incoming"
    fi
    node index.mjs &
    child=$!
    # A signal ends `wait` before the server has ended.
    while kill -0 "$child" 2> /dev/null; do
      status=0
      wait "$child" || status=$?
    done
    [ -e "$incoming" ] || exit "$status"
  done
}

end() {
  [ -z "$child" ] || kill "$child" 2> /dev/null || true
}

answers() {
  curl --silent --fail --max-time 4 http://127.0.0.1:3000/xrpc/_health | grep -q '"version"'
}

# A copy of each database that sqlite itself makes, and each account's key.
backup() {
  rm -rf "$copy"
  node -e '
    const fs = require("fs"), path = require("path"), Database = require("better-sqlite3");
    const [data, copy] = process.argv.slice(1);
    for (const entry of fs.readdirSync(data, { recursive: true, withFileTypes: true })) {
      const from = path.join(entry.parentPath, entry.name), to = path.join(`${copy}.part`, path.relative(data, from));
      const kept = entry.name.endsWith(".sqlite") || entry.name === "key";
      if (!entry.isFile() || !kept || from.startsWith(`${copy}.part`)) continue;
      fs.mkdirSync(path.dirname(to), { recursive: true });
      if (entry.name === "key") fs.copyFileSync(from, to);
      else { const db = new Database(from); db.prepare("VACUUM INTO ?").run(to); db.close(); }
    }
    fs.renameSync(`${copy}.part`, copy);' "$data" "$copy"
}

tidy() {
  rm -rf "$copy"
}

restore() {
  [ -e "$copy/account.sqlite" ] || { echo "the snapshot brought no $copy/account.sqlite" >&2; exit 1; }
  mv "$copy" "$incoming"
  kill -HUP 1
  left=240
  while [ -e "$incoming" ] || ! answers; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "the server does not answer after the restore; its log says why" >&2; exit 1; }
    sleep 0.5
  done
}

case "${1:-}" in
  run | answers | backup | tidy | restore) "$1" ;;
  *) echo "usage: pds.sh run|answers|backup|tidy|restore" >&2; exit 2 ;;
esac
