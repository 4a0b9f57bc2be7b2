#!/bin/sh
# mumble.sh run                 the server, and the server again after a restore: the container's program
# mumble.sh listens             whether it takes connections: the healthcheck
# mumble.sh backup|tidy|restore hooks of the backup bot, in this container
set -eu

database=/data/mumble-server.sqlite
dump=/data/backup.tar
# What is in an archive of this name takes the place of the live database before the next start, so
# that a restore which is cut short is finished by whatever start comes first.
incoming=/data/incoming.tar
pidfile=/tmp/mumble-server.pid

run() {
  ending=
  child=
  trap 'ending=yes; end' TERM INT
  trap end HUP
  while [ -z "$ending" ]; do
    if [ -e "$incoming" ]; then
      # The old journal first: it would be read into the new database.
      rm -f "$database-journal" "$database-wal" "$database-shm"
      tar -C /data -xf "$incoming"
      rm "$incoming"
    fi
    /entrypoint.sh mumble-server -fg &
    child=$!
    echo "$child" > "$pidfile"
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

# By the kernel's list, where FCE2 is the port and 0A stands for one that listens: a connection from
# here would count as one of a client, and the server keeps out who makes many.
listens() {
  cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | grep -q ':FCE2 [0-9A-F]*:0000 0A'
}

# The server stands still meanwhile. A journal beside the database is that of a change which is not
# done: with it the copy is whole too.
backup() {
  rm -f "$dump" "$dump.part"
  cd /data
  server=$(cat "$pidfile")
  kill -STOP "$server"
  trap 'kill -CONT "$server"' EXIT
  set -- "${database##*/}"
  if [ -e "$1-journal" ]; then set -- "$1" "$1-journal"; fi
  tar -cf "$dump.part" "$@"
  mv "$dump.part" "$dump"
}

tidy() {
  rm -f "$dump"
}

restore() {
  [ -e "$dump" ] || { echo "the snapshot brought no $dump" >&2; exit 1; }
  tar -tf "$dump" "${database##*/}" > /dev/null
  mv "$dump" "$incoming"
  kill -HUP 1
  left=120
  while [ -e "$incoming" ] || ! listens; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "the server does not listen after the restore; its log says why" >&2; exit 1; }
    sleep 0.5
  done
}

case "${1:-}" in
  run | listens | backup | tidy | restore) "$1" ;;
  *) echo "usage: mumble.sh run|listens|backup|tidy|restore" >&2; exit 2 ;;
esac
