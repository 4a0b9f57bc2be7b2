#!/bin/sh
# n8n.sh run                 n8n, and n8n again after a restore: the container's program
# n8n.sh answers             whether it serves requests: the healthcheck
# n8n.sh backup|tidy|restore hooks of the backup bot, in this container
set -eu

folder=$HOME/.n8n
database=$folder/database.sqlite
dump=$folder/backup.sqlite
# A database under this name takes the place of the live one before the next start, so that a
# restore which is cut short is finished by whatever start comes first.
incoming=$folder/incoming.sqlite

run() {
  # n8n knows its key by this variable alone.
  N8N_ENCRYPTION_KEY=$(cat "$N8N_ENCRYPTION_KEY_FILE")
  export N8N_ENCRYPTION_KEY
  ending=
  child=
  trap 'ending=yes; end' TERM INT
  trap end HUP
  while [ -z "$ending" ]; do
    if [ -e "$incoming" ]; then
      # The old log first: it would be read into the new database.
      rm -f "$database-wal" "$database-shm" "$database-journal"
      mv "$incoming" "$database"
    fi
    n8n &
    child=$!
    # A signal ends `wait` before n8n has ended.
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

get() {
  curl --silent --fail --max-time 4 "http://127.0.0.1:5678$1"
}

# While it starts, n8n answers 200 with a plain text to everything; its pages come after its API.
answers() {
  get /rest/settings | grep -q '^{"data":' && get / | grep -q '<title>n8n'
}

# sql FILE STATEMENT: runs it with n8n's own sqlite and prints the first row.
sql() {
  node -e '
    const [n8n, file, statement] = process.argv.slice(1);
    const sqlite3 = require("module").createRequire(require("fs").realpathSync(n8n))("sqlite3");
    const done = (error, row) => {
      if (error) { console.error(`${file}: ${error.message}`); process.exit(1); }
      if (row) console.log(Object.values(row).join(" "));
    };
    const db = new sqlite3.Database(file, sqlite3.OPEN_READWRITE, (error) => error && done(error));
    db.configure("busyTimeout", 20000);
    db.get(statement, done);
  ' "$(command -v n8n)" "$1" "$2"
}

# The live file must not be copied: it changes meanwhile, and half of it is in the log beside it.
backup() {
  rm -f "$dump" "$dump.part"
  sql "$database" "VACUUM INTO '$dump.part'"
  mv "$dump.part" "$dump"
}

tidy() {
  rm -f "$dump"
}

restore() {
  [ -e "$dump" ] || { echo "the snapshot brought no $dump" >&2; exit 1; }
  verdict=$(sql "$dump" "PRAGMA quick_check(1)")
  [ "$verdict" = ok ] || { echo "$dump is damaged: $verdict" >&2; exit 1; }
  mv "$dump" "$incoming"
  kill -HUP 1
  left=240
  while [ -e "$incoming" ] || ! answers; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "n8n does not answer after the restore; its log says why" >&2; exit 1; }
    sleep 0.5
  done
}

case "${1:-}" in
  run | answers | backup | tidy | restore) "$1" ;;
  *) echo "usage: n8n.sh run|answers|backup|tidy|restore" >&2; exit 2 ;;
esac
