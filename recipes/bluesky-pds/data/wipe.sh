#!/usr/bin/env bash
# The account goes through the server. Files that vanish do not do: it holds its databases open.
set -euo pipefail
. "$(dirname "$0")/../lib/pds.sh"

as_admin com.atproto.admin.deleteAccount <<< "{\"did\":\"$seed_did\"}" > /dev/null
echo "the account $seed_did is gone"
