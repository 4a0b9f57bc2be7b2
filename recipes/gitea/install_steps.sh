#!/usr/bin/env bash
# Wires the server to the run's provider of logins.
set -euo pipefail
. "$CCCI_SH"

cat >> "$CCCI_ENV_FILE" << ENV
COMPOSE_FILE="\$COMPOSE_FILE:compose.oidc.yml"
OIDC_NAME=ci
OIDC_DISCOVERY_URL=$CCCI_SSO_DISCOVERY
OIDC_CLIENT_ID=$CCCI_SSO_CLIENT_ID
SECRET_OIDC_CLIENT_SECRET_VERSION=v1  # generate=false
ENV

insert_secret oidc_client_secret "$CCCI_SSO_CLIENT_SECRET"
echo "people log in by client $CCCI_SSO_CLIENT_ID of realm $CCCI_SSO_REALM"
