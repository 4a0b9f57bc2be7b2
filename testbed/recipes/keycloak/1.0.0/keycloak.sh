#!/bin/bash
# keycloak.sh run      Keycloak, and Keycloak again when the database was restored: the container's program
# keycloak.sh ready    whether it serves requests: the healthcheck
set -euo pipefail

# The database's hook leaves this file after a restore; Keycloak keeps realms and keys in memory and
# would go on with the old ones.
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
    # Whatever asked for a start before this one is answered by it.
    rm -f "$wanted"
    entrypoint.sh start --optimized &
    child=$!
    while kill -0 "$child" 2> /dev/null && [ ! -e "$wanted" ]; do
      sleep 0.5 &
      wait $! || true
    done
    [ -e "$wanted" ] || break
    kill "$child" 2> /dev/null || true
    wait "$child" || true
  done
  wait "$child"
}

case "${1:-}" in
  run | ready) "$1" ;;
  *) echo "usage: keycloak.sh run|ready" >&2; exit 2 ;;
esac
