#!/bin/bash
# mysql_backup.sh backup|restore: run by the backup bot inside this container.
set -euo pipefail

dump=/var/lib/mysql/backup.sql.gz
access=$(mktemp)
trap 'rm -f "$access" "$dump.part"' EXIT
printf '[client]\nuser=root\npassword="%s"\n' "$(cat "$MYSQL_ROOT_PASSWORD_FILE")" > "$access"

backup() {
  # Under another name until it is whole: half a dump must never look like one.
  mysqldump --defaults-extra-file="$access" --single-transaction --routines "$MYSQL_DATABASE" | gzip > "$dump.part"
  mv "$dump.part" "$dump"
}

# Table by table in the live database, the usual form of such a hook: Ghost seldom writes by itself. gitea does, so its hook
# exchanges all tables at once. Without the database, Ghost's connections would be of no more use.
restore() {
  gzip -t "$dump"
  gunzip < "$dump" | mysql --defaults-extra-file="$access" "$MYSQL_DATABASE"
}

case "${1:-}" in
  backup | restore) "$1" ;;
  *) echo "usage: mysql_backup.sh backup|restore" >&2; exit 2 ;;
esac
