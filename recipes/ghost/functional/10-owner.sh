#!/usr/bin/env bash
# The first to come becomes the owner, and no one after that. The files that follow use this session.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
holds "the owner's session" "$(as_owner GET '/ghost/api/admin/users/me/?include=roles')" "\"email\":\"$owner_email\"" '"name":"Owner"'
printf '{"setup":[{"name":"Late","email":"late@example.org","password":"A1-%s","blogTitle":"Late"}]}' "$(random_hex 12)" |
  refused "a second owner" NoPermissionError ask POST /ghost/api/admin/authentication/setup/ "${json[@]}"
printf '{"username":"stranger-%s@example.org","password":"A1-%s"}' "$(random_hex 4)" "$(random_hex 12)" |
  refused "a stranger's login" NotFoundError ask POST /ghost/api/admin/session/ "${json[@]}"
# A page elsewhere in the owner's browser has the session, too, and gets nothing by it.
origin=https://elsewhere.example refused "the session from another site" 'incorrect origin' as_owner GET /ghost/api/admin/users/me/
echo "$owner_email is the owner, and neither a second one nor another site's page gets in"
