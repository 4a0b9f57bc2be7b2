#!/usr/bin/env bash
# The post, as its author has it and as the world has it; its image, byte for byte as it was uploaded; and the member.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

owner_session=$seed_session
holds "the author's post" "$(as_owner GET "/ghost/api/admin/posts/$seed_post/?formats=html")" \
  "\"title\":\"Seeded $seed_mark\"" "Words of $seed_mark"
holds "the post's page" "$(ask GET "/$seed_slug/")" "Words of $seed_mark" "$seed_image"
sum=$(ask GET "$seed_original" | sha256sum)
[ "${sum%% *}" = "$seed_original_sha256" ] || fail "the image is another one"
holds "the members" "$(as_owner GET "/ghost/api/admin/members/?search=$seed_mark")" "\"email\":\"seed-$seed_mark@example.org\""
echo "post $seed_post, its image and the member are as they were"
