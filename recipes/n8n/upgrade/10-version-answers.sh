#!/usr/bin/env bash
# The n8n that answers is the one that the deployed version names. n8n 2 tells it to no stranger.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

owner_session=$seed_session
version_is n8n "$(as_owner GET /rest/settings | text_of versionCli)"
