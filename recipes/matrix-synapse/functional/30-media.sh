#!/usr/bin/env bash
# A file goes up, and comes down the same with its type and name; without a token it does not.
set -euo pipefail
. "$(dirname "$0")/../lib/matrix.sh"

media=$(printf 'note of run %s' "$CCCI_RUN" | upload "$keep_alice_token" "note-$mark.txt" text/plain)
down=$(request "$keep_bob_token" GET "/_matrix/client/v1/media/download/$media" --include | tr -d '\r')
[ "${down##*$'\n'}" = "note of run $CCCI_RUN" ] || fail "the file came down otherwise: ${down:0:400}"
grep -qi '^content-type: text/plain' <<< "$down" || fail "the file lost its type: ${down:0:400}"
grep -qi "^content-disposition: .*note-$mark.txt" <<< "$down" || fail "the file lost its name: ${down:0:400}"
denied "the file without a token" 401 M_MISSING_TOKEN call GET "/_matrix/client/v1/media/download/$media"
echo "a file of $alice comes down to $bob as it went up"
