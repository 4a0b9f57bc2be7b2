#!/usr/bin/env bash
# A person's password for a token, and what the token says. It is read here as every app reads it.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$own_realm app=app:$own_secret
take_tokens "$app" "grant_type=password&username=$own_user&password=$own_password&scope=openid+profile+email"
holds "the answer" "$said" '"token_type":"Bearer"'
lasts=$(grep -o '"expires_in":[0-9]*' <<< "$said")
lasts=${lasts#*:}
((lasts > 200 && lasts <= 300)) || fail "a token lasts $lasts s and not about 5 minutes"

person=$(userinfo "$access")
holds "what is said of the person" "$person" "\"preferred_username\":\"$own_user\"" "\"email\":\"$own_user@example.org\"" \
  '"email_verified":true' "\"name\":\"Ann Of $own_mark\""
subject=$(text_of sub <<< "$person")
by_whom="\"iss\":\"https://$CCCI_DOMAIN/realms/$realm\""
holds "the token" "$(part 2 "$access")" "$by_whom" "\"sub\":\"$subject\"" '"azp":"app"' '"typ":"Bearer"' \
  "\"preferred_username\":\"$own_user\"" '"sid":"'
holds "the ID token" "$(part 2 "$(text_of id_token <<< "$said")")" "$by_whom" '"aud":"app"' "\"sub\":\"$subject\""
# The key that it names is published.
head=$(part 1 "$access")
holds "the token's head" "$head" '"alg":"RS256"'
[ "$(text_of kid <<< "$head")" = "$(published_keys)" ] || fail "the key of $head is not the one that is published"
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
