#!/usr/bin/env bash
# A realm gets a new key to sign with. Tokens of the old key are good for as long as that key is kept, and no longer.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

make_realm rotated
log_in() {
  take_tokens "app:$secret" "grant_type=password&username=$user&password=$password&scope=openid"
  key=$(part 1 "$access" | text_of kid)
}
opens() {
  holds "what a token of $user opens" "$(userinfo "$1")" "\"preferred_username\":\"$user\""
}

log_in
old=$access old_key=$key
[ "$(published_keys)" = "$old_key" ] || fail "the new realm publishes other keys than $old_key: $(published_keys)"
made "/admin/realms/$realm/components" << JSON
  { "name": "next", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
    "parentId": "$(id_of "/admin/realms/$realm")", "config": { "priority": ["200"], "algorithm": ["RS256"], "keySize": ["2048"] } }
JSON
log_in
[ "$key" != "$old_key" ] || fail "tokens are signed by $key, though another key goes before it"
[ "$(published_keys)" = "$(printf '%s\n' "$old_key" "$key" | sort)" ] || fail "$old_key and $key are not what is published: $(published_keys)"
opens "$old"
opens "$access"

be_admin
provider=$(request GET "/admin/realms/$realm/keys" | tr '{' '\n' | grep -F "\"kid\":\"$old_key\"" | text_of providerId)
request DELETE "/admin/realms/$realm/components/$provider"
[ "$(published_keys)" = "$key" ] || fail "$key is not all that is published: $(published_keys)"
denied "a token of the removed key" 401 'error="invalid_token"' userinfo "$old" --include
opens "$access"
request DELETE "/admin/realms/$realm"
echo "tokens of $old_key were good until it was removed, and those of $key are"
