#!/bin/bash
# Makes the database on an empty volume, then becomes the server. ROOT_PASSWORD, DATABASE, USER and PASSWORD are
# honoured after MYSQL_ or MARIADB_, each also as a file that _FILE names.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  install -d -o mysql -g mysql /run/mysqld
  chown -R mysql:mysql /var/lib/mysql
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi

# setting NAME: its value, which may be empty.
setting() {
  local name file
  for name in "MARIADB_$1" "MYSQL_$1"; do
    file=${name}_FILE
    if [ -n "${!file:-}" ]; then
      cat "${!file}"
      return
    elif [ -n "${!name:-}" ]; then
      printf '%s' "${!name}"
      return
    fi
  done
}

# quoted TEXT: as a string of SQL.
quoted() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\'\'}"
}

made() {
  local root database user password
  root=$(setting ROOT_PASSWORD) database=$(setting DATABASE) user=$(setting USER) password=$(setting PASSWORD)
  [ -n "$root" ] || { echo "set MYSQL_ROOT_PASSWORD or MYSQL_ROOT_PASSWORD_FILE" >&2; exit 1; }
  mariadb-install-db --auth-root-authentication-method=normal --skip-test-db >/dev/null
  # Without a server that others could already find.
  mariadbd --bootstrap <<SQL
FLUSH PRIVILEGES;
ALTER USER root@localhost IDENTIFIED BY $(quoted "$root");
CREATE USER root@'%' IDENTIFIED BY $(quoted "$root");
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
${database:+CREATE DATABASE \`$database\`;}
${user:+CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");}
${user:+${database:+GRANT ALL ON \`$database\`.* TO $(quoted "$user")@'%';}}
SQL
}

if [ ! -d /var/lib/mysql/mysql ]; then made; fi
exec "$@" --bind-address=0.0.0.0 --skip-name-resolve
