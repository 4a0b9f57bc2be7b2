#!/usr/bin/env bash
# An invited person gets an account, once; the handle and the directory lead to it, and its password alone opens it.
set -euo pipefail
. "$(dirname "$0")/../lib/pds.sh"

name=alice-$(random_hex 3)
add_account "$name"
alice=$handle
refused "a second account by one invite" '"InvalidInviteCode"' create "late-${name#*-}"
printf '{"identifier":"%s","password":"not-%s"}' "$alice" "$password" |
  refused "a wrong password" '"AuthenticationRequired"' told com.atproto.server.createSession
session=$(printf '{"identifier":"%s","password":"%s"}' "$alice" "$password" | told com.atproto.server.createSession)
holds "the session" "$session" "\"$did\""
found=$(ask GET "com.atproto.identity.resolveHandle?handle=$alice" | text_of did)
[ "$found" = "$did" ] || fail "the handle $alice leads to '$found' and not to $did"
refused "an unknown handle" '"Unable to resolve handle"' ask GET "com.atproto.identity.resolveHandle?handle=unknown-${alice#*-}"

remember alice "$alice"
remember alice_did "$did"
remember alice_token "$(text_of accessJwt <<< "$session")"
echo "$alice is $did by one invite, and neither a second account nor a wrong password gets in"
