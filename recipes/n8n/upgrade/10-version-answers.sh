#!/usr/bin/env bash
# The n8n that answers is the one that the deployed version names.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

version_is n8n "$(call GET /rest/settings | text_of versionCli)"
