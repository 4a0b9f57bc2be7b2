#!/usr/bin/env bash
# Posts, members and images go under the running Ghost, as a lost disk takes them. The owner stays: Ghost could make no
# new one before it starts again.
set -euo pipefail
. "$CCCI_SH"

# What refers to them is lost with them.
gone=$(sql "${CCCI_DATABASE:?the app has no database of its own}" "SET FOREIGN_KEY_CHECKS = 0;
  DELETE FROM members; SELECT ROW_COUNT(); DELETE FROM posts; SELECT ROW_COUNT()")
if grep -qx 0 <<< "$gone"; then fail "there were no members or no posts to destroy: $gone"; fi
images=$("$CCCI_EXEC" app -- sh -c '
  cd "${GHOST_CONTENT:-/var/lib/ghost/content}/images" && find . -type f | wc -l && find . -mindepth 1 -delete')
[ "$images" != 0 ] || fail "there were no images to destroy"
echo "gone are $images images, and so many members and posts: $gone" | tr '\n' ' '
