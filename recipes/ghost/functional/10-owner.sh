#!/usr/bin/env bash
# The first to come becomes the owner, and no one after that. The files that follow use this session.
set -euo pipefail
# shellcheck source=../lib/ghost.sh
. "$(dirname "$0")/../lib/ghost.sh"

# refused WHAT WANTED METHOD PATH [CURL ARGUMENTS]: Ghost says no, with these words.
refused() {
  local what=$1 wanted=$2 said
  shift 2
  if said=$(ask "$@"); then
    echo "$what: Ghost took it and said ${said:0:300}" >&2
    exit 1
  fi
  grep -qF "$wanted" <<< "$said" || { echo "$what: Ghost refused with ${said:0:300}, and not with $wanted" >&2; exit 1; }
}
json=(--header 'Content-Type: application/json' --data-binary @-)

have_owner
me=$(as_owner GET '/ghost/api/admin/users/me/?include=roles')
for wanted in "\"email\":\"$owner_email\"" '"name":"Owner"'; do
  grep -qF "$wanted" <<< "$me" || { echo "the session of the owner has no $wanted: $me" >&2; exit 1; }
done
printf '{"setup":[{"name":"Late","email":"late@example.org","password":"A1-%s","blogTitle":"Late"}]}' "$(random_hex 12)" |
  refused "a second owner" 'NoPermissionError' POST /ghost/api/admin/authentication/setup/ "${json[@]}"
printf '{"username":"stranger-%s@example.org","password":"A1-%s"}' "$(random_hex 4)" "$(random_hex 12)" |
  refused "a stranger's login" 'NotFoundError' POST /ghost/api/admin/session/ "${json[@]}"
# A page elsewhere in the owner's browser has the session, too, and gets nothing by it.
owned=$(mktemp "$CCCI_WORK/cookie.XXXXXX")
trap 'rm -f "$owned"' EXIT
printf 'Cookie: ghost-admin-api-session=%s\n' "$owner_session" > "$owned"
origin=https://elsewhere.example \
  refused "the session from another site" 'incorrect origin' GET /ghost/api/admin/users/me/ --header "@$owned"
echo "$owner_email is the owner, and neither a second one nor another site's page gets in"
