#!/usr/bin/env bash
# The Ghost that answers is the one that the deployed version names, as far as either says it: Ghost tells 6.65.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

version_is Ghost "$(ask GET /ghost/api/admin/site/ | text_of version)" 2
