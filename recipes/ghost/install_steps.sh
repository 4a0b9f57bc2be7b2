#!/usr/bin/env bash
# Lets Ghost send its mail to the server that lib/mailbox.js starts in Ghost's own container: who signs in on a new
# device gets a code by mail, and who becomes a member a link. How the recipe calls its settings is read from it.
set -euo pipefail

recipe=$(dirname "$CCCI_ENV_FILE")/../../recipes/$CCCI_RECIPE
# set GHOST'S_SETTING VALUE: in the variable that the compose files take it from.
set_mail() {
  local name
  name=$(cat "$recipe"/compose*.yml | sed -n "s/.*mail__$1[=:] *[\"']\{0,1\}\${\([A-Za-z0-9_]*\).*/\1/p" | head -n 1)
  [ -n "$name" ] || { echo "the compose files have no variable for mail__$1, and without it Ghost's mail goes elsewhere" >&2; exit 1; }
  printf '%s=%s\n' "$name" "$2" >> "$CCCI_ENV_FILE"
}

set_mail transport SMTP
set_mail options__host 127.0.0.1
set_mail options__port 2525
set_mail options__secure false
echo "Ghost's mail stays in its container"
