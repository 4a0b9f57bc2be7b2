#!/usr/bin/env bash
# A post with an image, and a member: rows in the database, and bytes on the disk.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
mark=$(random_hex 6)
file=$CCCI_WORK/seed-$mark.gif
dot "$file"
image=$(upload "$file" image/gif | text_of url)
publish "Seeded $mark" "Words of $mark" "\"feature_image\": \"$image\""
post=$(id_in "$said")
made POST /ghost/api/admin/members/ > /dev/null <<< "
  { \"members\": [{ \"email\": \"seed-$mark@example.org\", \"name\": \"Seeded $mark\" }] }"

remember seed_mark "$mark"
remember seed_post "$post"
remember seed_slug "$slug"
image=${image#"$CCCI_URL"}
remember seed_image "$image"
# What was uploaded stays, too: what pages show is made smaller.
remember seed_original "${image%.*}_o.${image##*.}"
remember seed_original_sha256 "$(sha256sum < "$file" | cut -d' ' -f1)"
remember seed_session "$owner_session"
rm "$file"
echo "made post $post with an image, and a member"
