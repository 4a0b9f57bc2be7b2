#!/usr/bin/env bash
# The server that answers is the one that the deployed version names.
set -euo pipefail
. "$(dirname "$0")/../lib/pds.sh"

version_is PDS "$(ask GET _health | text_of version)"
