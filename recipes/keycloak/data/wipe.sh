#!/usr/bin/env bash
# The realm goes over the API. Rows that vanish from the database do not do: Keycloak serves a realm, its
# logins and its keys from memory, and a check of an empty database was green.
set -euo pipefail
# shellcheck source=../lib/keycloak.sh
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$(sed -n 's/^seed_realm=//p' "$CCCI_WORK/variables" | tail -n 1)
be_admin
as_admin DELETE "/admin/realms/$realm"
echo "realm $realm is gone"
