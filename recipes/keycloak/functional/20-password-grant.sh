#!/usr/bin/env bash
# A person's password for a token, and what the token says. It is read here as every app reads it.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$own_realm app=app:$own_secret
take_tokens "$app" "grant_type=password&username=$own_user&password=$own_password&scope=openid+profile+email"
[ "$(text_of token_type <<< "$said")" = Bearer ] || fail "the token is not one of a bearer"
person=$(userinfo "$access")
holds "what is said of the person" "$person" "\"preferred_username\":\"$own_user\"" "\"email\":\"$own_user@example.org\"" \
  '"email_verified":true' "\"name\":\"Ann Of $own_mark\""
subject=$(text_of sub <<< "$person")
by_whom="\"iss\":\"https://$CCCI_DOMAIN/realms/$realm\""
claims=$(part 2 "$access")
holds "the token" "$claims" "$by_whom" "\"sub\":\"$subject\"" '"azp":"app"' '"typ":"Bearer"' \
  "\"preferred_username\":\"$own_user\"" '"sid":"'
holds "the ID token" "$(part 2 "$(text_of id_token <<< "$said")")" "$by_whom" '"aud":"app"' "\"sub\":\"$subject\""
# It lasts as long as the realm says, which is another time in each.
number() { grep -o "\"$1\":[0-9]*" | cut -d: -f2; }
lasts=$(($(number exp <<< "$claims") - $(number iat <<< "$claims"))) told=$(number expires_in <<< "$said")
[ "$lasts" = "$own_lifespan" ] || fail "a token lasts $lasts s, and the realm's setting is $own_lifespan"
((told > 200 && told <= lasts)) || fail "a token lasts $lasts s, and the app is told $told"
# The key that it names is published.
head=$(part 1 "$access")
holds "the token's head" "$head" '"alg":"RS256"'
keys=$(ask GET "/realms/$realm/protocol/openid-connect/certs" | tr '{' '\n' | grep -F '"use":"sig"')
[ "$(text_of kid <<< "$head")" = "$(text_of kid <<< "$keys")" ] || fail "the key of $head is not the one that is published"
# The signature is what is believed.
denied "a token that was changed" 401 'error="invalid_token"' userinfo "${access}x" --include

# It is renewed, and it ends when the person logs out.
before=$access
take_tokens "$app" "grant_type=refresh_token&refresh_token=$refresh"
[ "$access" != "$before" ] || fail "the token was not renewed"
[ "$(userinfo "$access" | text_of sub)" = "$subject" ] || fail "the renewed token is about another person"
[ "$(by_client logout "$app" "refresh_token=$refresh" --write-out '%{http_code}')" = 204 ] || fail "the logout is not done"
denied "a token after the logout" 401 'error="invalid_token"' userinfo "$access" --include
denied "a renewal after the logout" 400 '"error":"invalid_grant"' \
  by_client token "$app" "grant_type=refresh_token&refresh_token=$refresh"
echo "$own_user gets a token for $lasts s by a password, renews it, and ends it"
