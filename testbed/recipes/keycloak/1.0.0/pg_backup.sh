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
  # Keycloak, in its own container, starts again and takes the file away when it is ready.
  chmod 0777 "${wanted%/*}"
  date > "$wanted"
  for ((left = 360; left > 0; left--)); do
    [ -e "$wanted" ] || return 0
    sleep 0.5
  done
  echo "the database is loaded, and Keycloak is not ready again; its log says why" >&2
  return 1
}

case "${1:-}" in
  backup | restore) "$1" ;;
  *) echo "usage: pg_backup.sh backup|restore" >&2; exit 2 ;;
esac
