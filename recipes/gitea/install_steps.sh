#!/usr/bin/env bash
# The public name, which recipes of gitea want a second time. Logins are set up in the running gitea: functional/15-logins.sh.
set -euo pipefail
. "$CCCI_SH"

if grep -q '^GITEA_DOMAIN=' "$(recipe_files)/.env.sample"; then
  echo "GITEA_DOMAIN=$CCCI_DOMAIN" >> "$CCCI_ENV_FILE"
  echo "gitea is called $CCCI_DOMAIN"
else
  echo "gitea is called as its app is"
fi
