#!/usr/bin/env bash
# pg_backup.sh backup|restore: run by the backup bot inside this container.
set -euo pipefail

dump=/var/lib/postgresql/data/backup.sql
user=$POSTGRES_USER
name=$POSTGRES_DB
PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
export PGPASSWORD PGHOST=127.0.0.1 PGUSER=$user

backup() {
  # Under another name until it is whole: half a dump must never look like one.
  pg_dump --no-owner "$name" > "$dump.part"
  mv "$dump.part" "$dump"
}

restore() {
  # Loaded beside the live database, which goes only when everything is in.
  psql -q -d postgres -c "DROP DATABASE IF EXISTS ${name}_restore"
  createdb --template=template0 --encoding=UTF8 --locale=C "${name}_restore"
  psql -q -v ON_ERROR_STOP=1 --single-transaction -d "${name}_restore" -f "$dump" > /dev/null
  psql -q -d postgres -c "DROP DATABASE IF EXISTS $name WITH (FORCE)"
  psql -q -d postgres -c "ALTER DATABASE ${name}_restore RENAME TO $name"
}

case "${1:-}" in
  backup | restore) "$1" ;;
  *) echo "usage: pg_backup.sh backup|restore" >&2; exit 2 ;;
esac
