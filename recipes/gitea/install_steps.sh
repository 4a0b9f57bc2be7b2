#!/usr/bin/env bash
# Wires the server to the run's provider of logins.
set -euo pipefail

cat >> "$CCCI_ENV_FILE" << ENV
COMPOSE_FILE="\$COMPOSE_FILE:compose.oidc.yml"
OIDC_NAME=ci
OIDC_DISCOVERY_URL=$CCCI_SSO_DISCOVERY
OIDC_CLIENT_ID=$CCCI_SSO_CLIENT_ID
SECRET_OIDC_CLIENT_SECRET_VERSION=v1  # generate=false
ENV

# By a file that only its owner reads: an argument list can be read by anybody on the machine.
umask 077
file=$(mktemp "$CCCI_WORK/oidc-client-secret.XXXXXX")
trap 'rm -f "$file"' EXIT
printf '%s' "$CCCI_SSO_CLIENT_SECRET" > "$file"
"$CCCI_ABRA" app secret insert "$CCCI_DOMAIN" oidc_client_secret v1 "$file" --file --chaos --offline --no-input > /dev/null
echo "people log in by client $CCCI_SSO_CLIENT_ID of realm $CCCI_SSO_REALM"
