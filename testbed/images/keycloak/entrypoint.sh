#!/bin/bash
# Reads the variables that are given as files, waits for the database and becomes Keycloak. A Keycloak
# that finds no database ends only after the many seconds that its start takes.
set -euo pipefail

for name in KC_BOOTSTRAP_ADMIN_PASSWORD KC_DB_PASSWORD; do
  file=${name}_FILE
  if [ -n "${!file:-}" ]; then
    export "$name=$(<"${!file}")"
    unset "$file"
  fi
done

usual=5432
if [ "${KC_DB:-}" = mariadb ] || [ "${KC_DB:-}" = mysql ]; then
  usual=3306
  # Once: a container may start it again.
  if [ -d /opt/keycloak/lib/quarkus-mariadb ]; then
    rm -rf /opt/keycloak/lib/quarkus
    mv /opt/keycloak/lib/quarkus-mariadb /opt/keycloak/lib/quarkus
  fi
fi
host=${KC_DB_URL_HOST:-}
port=${KC_DB_URL_PORT:-$usual}
if [ -n "$host" ]; then
  for ((left = 300; left > 0; left--)); do
    if (: <>"/dev/tcp/$host/$port") 2>/dev/null; then break; fi
    sleep 0.2
  done
  [ "$left" -gt 0 ] || echo "no database answers at $host:$port; Keycloak will say the same" >&2
fi
exec kc.sh "$@"
