#!/usr/bin/env bash
# An account that is deleted is gone with what it published, and its password opens nothing.
set -euo pipefail
. "$(dirname "$0")/../lib/pds.sh"

add_account "gone-$(random_hex 3)"
file=$(mktemp "$CCCI_WORK/blob.XXXXXX")
trap 'rm -f "$file"' EXIT
upload "$file"
show "$did" "Soon gone"
holds "the post" "$(ask GET "com.atproto.repo.getRecord?repo=$did&collection=app.bsky.feed.post&rkey=$record")" 'Soon gone'
as_admin com.atproto.admin.deleteAccount <<< "{\"did\":\"$did\"}" > /dev/null
for call in "repo.getRecord?repo=$did&collection=app.bsky.feed.post&rkey=$record" "identity.resolveHandle?handle=$handle" \
  "sync.getBlob?did=$did&cid=$blob" "sync.getRepo?did=$did"; do
  refused "${call%%\?*} of a deleted account" 'error: 4' ask GET "com.atproto.$call"
done
printf '{"identifier":"%s","password":"%s"}' "$did" "$password" |
  refused "the password of a deleted account" '"AuthenticationRequired"' told com.atproto.server.createSession
echo "$handle is gone with its post, its picture and its password"
