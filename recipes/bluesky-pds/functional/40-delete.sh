#!/usr/bin/env bash
# An account that is deleted is gone with what it published, and its password opens nothing.
set -euo pipefail
# shellcheck source=../lib/pds.sh
. "$(dirname "$0")/../lib/pds.sh"

add_account "gone-$(random_hex 3)"
file=$(mktemp "$CCCI_WORK/blob.XXXXXX")
trap 'rm -f "$file"' EXIT
upload "$file"
show "$did" "Soon gone"
before=$(ask GET "com.atproto.repo.getRecord?repo=$did&collection=app.bsky.feed.post&rkey=$record")
grep -qF 'Soon gone' <<< "$before" || { echo "the post is not there: $before" >&2; exit 1; }
as_admin com.atproto.admin.deleteAccount <<< "{\"did\":\"$did\"}" > /dev/null
for call in "repo.getRecord?repo=$did&collection=app.bsky.feed.post&rkey=$record" "identity.resolveHandle?handle=$handle" \
  "sync.getBlob?did=$did&cid=$blob" "sync.getRepo?did=$did"; do
  if said=$(ask GET "com.atproto.$call" | tr -d '\0'); then
    echo "the account is deleted, and $call still answers ${said:0:300}" >&2
    exit 1
  fi
done
if said=$(printf '{"identifier":"%s","password":"%s"}' "$did" "$password" | told com.atproto.server.createSession); then
  echo "the account is deleted, and its password opens a session" >&2
  exit 1
fi
grep -qF '"AuthenticationRequired"' <<< "$said" || { echo "the login is refused with ${said:0:300}" >&2; exit 1; }
echo "$handle is gone with its post, its picture and its password"
