#!/usr/bin/env bash
# A program logs in in its own name, and may do what its account may: one realm, and no other.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$own_realm
take_tokens "manager:$own_manager_secret" grant_type=client_credentials
[ -z "$refresh" ] || fail "a program gets a token to renew its login"
holds "the manager's token" "$(part 2 "$access")" '"client_id":"manager"' '"preferred_username":"service-account-manager"' \
  "\"iss\":\"https://$CCCI_DOMAIN/realms/$realm\""
bearer=$access
found=$(request GET "/admin/realms/$realm/users?username=$own_user&exact=true")
holds "what the manager finds" "$found" "\"lastName\":\"Of $own_mark\""
[ "$(grep -o '"username":' <<< "$found" | wc -l)" = 1 ] || fail "the manager finds more than $own_user: ${found:0:400}"
denied "the manager in another realm" 403 '' request GET /admin/realms/master/users

# An account with no role may log in, and reads nothing.
take_tokens "app:$own_secret" grant_type=client_credentials
bearer=$access
denied "an account with no role" 403 '' request GET "/admin/realms/$realm/users"
echo "the manager reads realm $realm and no other, the app reads none"
