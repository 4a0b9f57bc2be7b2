#!/usr/bin/env bash
# pg_backup.sh backup|restore: run by the backup bot inside this container.
set -euo pipefail

dump=/var/lib/postgresql/data/backup.sql
wanted=/restart/wanted
user=$POSTGRES_USER
name=$POSTGRES_DB
PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
export PGPASSWORD PGHOST=127.0.0.1 PGUSER=$user

backup() {
  # Under another name until it is whole: half a dump must never look like one.
  pg_dump --no-owner "$name" > "$dump.part"
  mv "$dump.part" "$dump"
}

# In the live database and in one transaction: the server keeps its connections and sees either the
# old state or the new one. Dropping the database instead would cut connections that it holds open.
restore() {
  {
    # Where both wait for each other, the server is the one that is told to try again.
    echo "SET deadlock_timeout = '1min'; SET client_min_messages = warning;"
    echo "DROP SCHEMA public CASCADE;"
    echo "CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC;"
    cat "$dump"
  } | psql -q -v ON_ERROR_STOP=1 --single-transaction -d "$name" > /dev/null
  # Keycloak, in its own container, ends when it sees the file, takes it away and starts again.
  chmod 0777 "${wanted%/*}"
  : > "$wanted"
  for ((left = 600; left > 0; left--)); do
    if [ ! -e "$wanted" ] && ready 2> /dev/null; then return 0; fi
    sleep 0.5
  done
  echo "the database is loaded, and Keycloak is not ready again after five minutes; its log says why" >&2
  return 1
}

# Each step by &&, since `if` takes set -e away from what it asks.
ready() (
  exec 3<> "/dev/tcp/$KEYCLOAK_HOST/9000" &&
    printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 &&
    read -r -t 5 _ status _ <&3 && [ "$status" = 200 ]
)

case "${1:-}" in
  backup | restore) "$1" ;;
  *) echo "usage: pg_backup.sh backup|restore" >&2; exit 2 ;;
esac
