#!/usr/bin/env bash
# Logins by the run's provider, made as operators make them: by gitea's own command, in its container. The client's secret
# goes past the command, whose arguments everyone on the machine can read.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"

sources() { "$CCCI_EXEC" app -- gitea admin auth list; }
if ! sources | grep -qE '[[:space:]]ci[[:space:]]'; then
  said=$("$CCCI_EXEC" app -- gitea admin auth add-oauth --name ci --provider openidConnect --key "$CCCI_SSO_CLIENT_ID" \
    --auto-discover-url "$CCCI_SSO_DISCOVERY" --scopes openid --scopes profile --scopes email 2>&1) ||
    fail "gitea takes no source of logins: ${said##*$'\n'}"
fi
database <<< "UPDATE login_source SET cfg = REPLACE(cfg, '\"ClientSecret\":\"\"', '\"ClientSecret\":\"$CCCI_SSO_CLIENT_SECRET\"') WHERE name = 'ci'"
holds "the list of sources of logins" "$(sources)" OAuth2
remember sso_source ci
echo "people sign in by client $CCCI_SSO_CLIENT_ID of realm $CCCI_SSO_REALM"
