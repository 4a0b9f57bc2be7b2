#!/usr/bin/env bash
# The Synapse that answers is the one that the deployed version names.
set -euo pipefail
. "$CCCI_SH"

version_is Synapse "$(call GET /_matrix/federation/v1/version | text_of version)"
