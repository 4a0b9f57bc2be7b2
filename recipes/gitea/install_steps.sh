#!/usr/bin/env bash
# The public name, where the recipe wants it a second time. Logins are set up in the running gitea: functional/15-logins.sh.
set -euo pipefail
. "$CCCI_SH"

if grep -q '^GITEA_DOMAIN=' "$(recipe_files)/.env.sample"; then echo "GITEA_DOMAIN=$CCCI_DOMAIN" >> "$CCCI_ENV_FILE"; fi
echo "gitea is called $CCCI_DOMAIN"
