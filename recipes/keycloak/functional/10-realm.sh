#!/usr/bin/env bash
# A realm, two clients and a user are made over the admin API and read back. The files that follow use them.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

make_realm own
[ "$(request GET "/admin/realms/$realm" | text_of displayName)" = "Realm $mark" ] || fail "the realm $realm does not read back as it was made"
holds "the client" "$(request GET "/admin/realms/$realm/clients?clientId=app")" "\"redirectUris\":[\"https://app.example/$mark/*\"]"
holds "the user" "$(request GET "/admin/realms/$realm/users?username=$user&exact=true")" "\"email\":\"$user@example.org\""
# A name is taken once.
refused "a second realm $realm" "$realm already exists" made /admin/realms <<< "{\"realm\":\"$realm\",\"enabled\":true}"
echo "realm $realm with two clients and a user reads back as it was made"
