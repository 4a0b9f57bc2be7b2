#!/usr/bin/env bash
# A restored blog is a working one: its author goes on writing, and the world reads it.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

owner_session=$seed_session
publish "After $(random_hex 6)" "After the restore $seed_mark"
holds "the new post's page" "$(eventually ask GET "/$slug/")" "After the restore $seed_mark"
echo "post $slug is read by the world after the restore"
