#!/bin/bash
# Ghost reads no password from a file, and ends where no database answers.
set -euo pipefail

database__connection__password=$(cat /run/secrets/db_password)
export database__connection__password
for ((left = 300; left > 0; left--)); do
  if (: <> "/dev/tcp/$database__connection__host/3306") 2> /dev/null; then break; fi
  sleep 0.2
done
[ "$left" -gt 0 ] || echo "no database answers at $database__connection__host; Ghost will say the same" >&2
exec docker-entrypoint.sh "$@"
