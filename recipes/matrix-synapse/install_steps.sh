#!/usr/bin/env bash
# Wires the server to the run's provider of logins, where the recipe can, and lets tests log in more often than people do.
set -euo pipefail
. "$CCCI_SH"

printf '%s\n' LOGIN_LIMIT_IP_BURST=1000 LOGIN_LIMIT_ACCOUNT_BURST=1000 >> "$CCCI_ENV_FILE"
if ! [ -e "$(recipe_files)/compose.oidc.yml" ]; then
  echo "this recipe has no compose.oidc.yml, so people log in by their passwords alone"
  exit
fi
cat >> "$CCCI_ENV_FILE" << ENV
COMPOSE_FILE="\$COMPOSE_FILE:compose.oidc.yml"
OIDC_ID=ci
OIDC_NAME="Logins of $CCCI_SSO_REALM"
OIDC_ISSUER=$CCCI_SSO_ISSUER
OIDC_CLIENT_ID=$CCCI_SSO_CLIENT_ID
SECRET_OIDC_CLIENT_SECRET_VERSION=v1  # generate=false
ENV
insert_secret oidc_client_secret "$CCCI_SSO_CLIENT_SECRET"
echo "people log in by client $CCCI_SSO_CLIENT_ID of realm $CCCI_SSO_REALM"
