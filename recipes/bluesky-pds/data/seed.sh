#!/usr/bin/env bash
# An account with a post and its picture: rows in two databases, and bytes on the disk.
set -euo pipefail
. "$(dirname "$0")/../lib/pds.sh"

mark=$(random_hex 6)
add_account "seed-${mark:0:6}"
file=$(mktemp "$CCCI_WORK/seed.XXXXXX")
trap 'rm -f "$file"' EXIT
upload "$file"
show "$did" "Words of $mark"

remember seed_mark "$mark"
remember seed_handle "$handle"
remember seed_did "$did"
remember seed_password "$password"
remember seed_record "$record"
remember seed_blob "$blob"
remember seed_blob_sha256 "$(sha256sum < "$file" | cut -d' ' -f1)"
echo "made $handle, which is $did, with a post and a picture"
