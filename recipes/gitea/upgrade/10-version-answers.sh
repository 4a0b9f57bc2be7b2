#!/usr/bin/env bash
# The gitea that answers is the one that the deployed version names.
set -euo pipefail
. "$CCCI_SH"

version_is gitea "$(call GET /api/v1/version | text_of version)"
