#!/usr/bin/env bash
# Without the secret there is nothing, and the reason in the words that clients look for. For a person's wrong password
# the status was 401 until the standard's 400 came.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$own_realm
login="grant_type=password&username=$own_user&password="
denied "a wrong password" 4 '"error":"invalid_grant","error_description":"Invalid user credentials"' \
  by_client token "app:$own_secret" "${login}not-$own_password"
denied "a client's wrong secret" 401 '"error":"unauthorized_client"' by_client token "app:not-$own_secret" "$login$own_password"
denied "the same without a person" 401 '"error":"unauthorized_client"' \
  by_client token "app:not-$own_secret" grant_type=client_credentials
realm=master denied "the person in another realm" 4 '"error":"invalid_grant"' \
  by_client token '' "client_id=admin-cli&$login$own_password"
denied "a way back that the client did not name" 400 "Invalid parameter: redirect_uri" ask GET \
  "/realms/$realm/protocol/openid-connect/auth?client_id=app&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Felsewhere.example%2F"
echo "$own_user is let in by the right secrets alone, in realm $realm alone"
