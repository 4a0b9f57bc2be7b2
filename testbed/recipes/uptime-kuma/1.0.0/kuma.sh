#!/bin/sh
# kuma.sh run                 the server, and the server again after a restore: the container's program
# kuma.sh answers             whether it serves requests: the healthcheck
# kuma.sh backup|tidy|restore hooks of the backup bot, in this container
set -eu

database=/app/data/kuma.db
dump=/app/data/backup.db
# A database under this name takes the place of the live one before the next start, so that a
# restore which is cut short is finished by whatever start comes first.
incoming=/app/data/incoming.db

run() {
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
    node server/server.js &
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
  curl --silent --fail --max-time 4 http://127.0.0.1:3001/api/entry-page | grep -q '"entryPage"'
}

# sql FILE STATEMENT: runs it with the server's own sqlite and prints the first row.
sql() {
  node -e '
    const [file, statement] = process.argv.slice(1);
    const sqlite3 = require("@louislam/sqlite3");
    const done = (error, row) => {
      if (error) { console.error(`${file}: ${error.message}`); process.exit(1); }
      if (row) console.log(Object.values(row).join(" "));
    };
    const db = new sqlite3.Database(file, sqlite3.OPEN_READWRITE, (error) => error && done(error));
    db.configure("busyTimeout", 20000);
    db.get(statement, done);
  ' "$1" "$2"
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
    [ "$left" -gt 0 ] || { echo "the server does not answer after the restore; its log says why" >&2; exit 1; }
    sleep 0.5
  done
}

case "${1:-}" in
  run | answers | backup | tidy | restore) "$1" ;;
  *) echo "usage: kuma.sh run|answers|backup|tidy|restore" >&2; exit 2 ;;
esac
