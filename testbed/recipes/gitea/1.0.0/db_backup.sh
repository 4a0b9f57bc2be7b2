#!/bin/bash
# db_backup.sh backup|restore: run by the backup bot inside the container of a database, PostgreSQL or MariaDB.
set -euo pipefail

backup() {
  # Under another name until it is whole: half a dump must never look like one.
  trap 'rm -f "$dump.part"' EXIT
  dumped > "$dump.part"
  mv "$dump.part" "$dump"
}

if [ -n "${POSTGRES_DB:-}" ]; then
  dump=/var/lib/postgresql/data/backup.sql
  PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  export PGPASSWORD PGHOST=127.0.0.1 PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB
  dumped() { pg_dump --no-owner; }
  # In the live database and in one transaction: gitea keeps its connections and sees the old state or the new one.
  restore() {
    {
      echo "SET deadlock_timeout = '1min'; SET client_min_messages = warning;"
      echo "DROP SCHEMA public CASCADE;"
      echo "CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC;"
      cat "$dump"
    } | psql -q -v ON_ERROR_STOP=1 --single-transaction > /dev/null
  }
else
  dump=/var/lib/mysql/backup.sql
  MYSQL_PWD=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
  export MYSQL_PWD
  dumped() { mysqldump -u root --single-transaction "$MYSQL_DATABASE"; }
  # Beside the live database, whose tables are then exchanged in one statement. Table by table, gitea would write rows
  # between the making of a table and its filling, and the dump's own rows would be refused as duplicates. gitea has tables
  # alone: views, triggers and routines cannot be moved like this.
  restore() {
    local moves
    tail -n 1 "$dump" | grep -q '^-- Dump completed' || { echo "$dump is not whole: it has no last line of mysqldump" >&2; exit 1; }
    trap 'sql -e "DROP DATABASE IF EXISTS incoming; DROP DATABASE IF EXISTS outgoing"' EXIT
    sql -e "DROP DATABASE IF EXISTS incoming; DROP DATABASE IF EXISTS outgoing; CREATE DATABASE incoming; CREATE DATABASE outgoing"
    sql incoming < "$dump"
    moves=$(sql -e "SET SESSION group_concat_max_len = 1000000;
      SELECT GROUP_CONCAT(table_schema, '.\`', table_name, '\` TO ', IF(table_schema = 'incoming', '$MYSQL_DATABASE', 'outgoing'),
        '.\`', table_name, '\`' ORDER BY table_schema = 'incoming')
      FROM information_schema.tables WHERE table_schema IN ('incoming', '$MYSQL_DATABASE')")
    sql -e "RENAME TABLE $moves"
  }
  sql() { mysql -u root --batch --skip-column-names "$@"; }
fi

case "${1:-}" in
  backup | restore) "$1" ;;
  *) echo "usage: db_backup.sh backup|restore" >&2; exit 2 ;;
esac
