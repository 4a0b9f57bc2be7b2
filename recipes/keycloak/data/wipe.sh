#!/usr/bin/env bash
# The realm goes over the API. Rows that vanish from the database do not do: Keycloak serves a realm, its
# logins and its keys from memory, and a check of an empty database was green.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

be_admin
request DELETE "/admin/realms/$seed_realm"
echo "realm $seed_realm is gone"
