#!/usr/bin/env bash
# A fresh Keycloak names itself by its public address: what it says here is what every client believes. Its administrator's
# pages are there, and their data are not for strangers.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

holds "its configuration" "$(ask GET /realms/master/.well-known/openid-configuration)" "\"issuer\":\"https://$CCCI_DOMAIN/realms/master\"" \
  "\"authorization_endpoint\":\"https://$CCCI_DOMAIN/realms/master/protocol/openid-connect/auth\"" "\"jwks_uri\":\"https://$CCCI_DOMAIN/"
holds "the console" "$(ask GET /admin/master/console/)" "\"authServerUrl\": \"https://$CCCI_DOMAIN\""
denied "a stranger's look at the realms" 401 '"error":"HTTP 401 Unauthorized"' ask GET /admin/realms
echo "the realm master is at https://$CCCI_DOMAIN, and its data are closed"
