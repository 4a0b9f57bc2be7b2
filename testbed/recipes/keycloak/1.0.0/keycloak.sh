#!/bin/bash
# keycloak.sh run      Keycloak, and Keycloak again when the database was restored: the container's program
# keycloak.sh ready    whether it serves requests: the healthcheck
set -euo pipefail

# The database's hook leaves this file; Keycloak keeps realms and keys in memory and would go on with
# the old ones. It is taken away when the new Keycloak is ready, which is what the hook waits for.
wanted=/restart/wanted

ready() {
  exec 3<> /dev/tcp/127.0.0.1/9000
  printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  read -r _ status _ <&3
  [ "$status" = 200 ]
}

run() {
  trap 'kill "$child" 2> /dev/null; wait "$child"; exit' TERM INT
  while true; do
    # What was asked for before this start is answered by it.
    serving=$(stat -c %y "$wanted" 2> /dev/null || true)
    entrypoint.sh start --optimized &
    child=$!
    while kill -0 "$child" 2> /dev/null; do
      if [ -e "$wanted" ]; then
        [ "$(stat -c %y "$wanted")" = "$serving" ] || break
        if "$0" ready 2> /dev/null; then rm -f "$wanted"; fi
      fi
      sleep 0.5 &
      wait $! || true
    done
    if [ -e "$wanted" ] && kill "$child" 2> /dev/null; then
      wait "$child" || true
    else
      wait "$child"
      exit
    fi
  done
}

case "${1:-}" in
  run | ready) "$1" ;;
  *) echo "usage: keycloak.sh run|ready" >&2; exit 2 ;;
esac
