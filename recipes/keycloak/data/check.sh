#!/usr/bin/env bash
# It is the same realm and not one of the same name; what apps, people and programs know of it is still so.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$seed_realm
# Apps that hold tokens of before still believe them.
[ "$(ask GET "/realms/$realm" | text_of public_key)" = "$seed_key" ] || fail "realm $realm is gone, or signs with another key"
take_tokens "app:$seed_secret" "grant_type=password&username=$seed_user&password=$seed_password&scope=openid+email"
holds "the person" "$(userinfo "$access")" "\"preferred_username\":\"$seed_user\"" "\"email\":\"$seed_user@example.org\""
take_tokens "manager:$seed_manager_secret" grant_type=client_credentials
bearer=$access
holds "the realm" "$(request GET "/admin/realms/$realm")" "\"id\":\"$seed_id\"" "\"displayName\":\"Realm $seed_mark\""
echo "realm $realm has its key, its person, its clients and its id"
