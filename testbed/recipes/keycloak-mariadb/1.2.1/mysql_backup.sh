#!/usr/bin/env bash
# mysql_backup.sh backup|restore: run by the backup bot inside this container.
set -euo pipefail

dump=/var/lib/mysql/backup.sql
wanted=/restart/wanted
MYSQL_PWD=$(cat "$MYSQL_ROOT_PASSWORD_FILE")
export MYSQL_PWD

backup() {
  # Under another name until it is whole: half a dump must never look like one.
  mysqldump -u root --single-transaction --routines "$MYSQL_DATABASE" > "$dump.part"
  mv "$dump.part" "$dump"
}

# Table by table in the live database, the usual form of such a hook: Keycloak seldom writes by itself. gitea does, so its hook
# exchanges all tables at once.
restore() {
  mysql -u root "$MYSQL_DATABASE" < "$dump"
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
  *) echo "usage: mysql_backup.sh backup|restore" >&2; exit 2 ;;
esac
