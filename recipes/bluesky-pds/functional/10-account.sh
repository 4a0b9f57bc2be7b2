#!/usr/bin/env bash
# An invited person gets an account, once; the handle and the directory lead to it, and its password alone opens it.
set -euo pipefail
# shellcheck source=../lib/pds.sh
. "$(dirname "$0")/../lib/pds.sh"

# refused WHAT WANTED COMMAND…: the server says no, with these words.
refused() {
  local what=$1 wanted=$2 said
  shift 2
  if said=$("$@"); then
    echo "$what: the server took it and said ${said:0:300}" >&2
    exit 1
  fi
  grep -qF "\"$wanted\"" <<< "$said" || { echo "$what: the server refused with ${said:0:300}, and not with $wanted" >&2; exit 1; }
}
name=alice-$(random_hex 3)
add_account "$name"
alice=$handle
refused "a second account by one invite" InvalidInviteCode create "late-${name#*-}"
printf '{"identifier":"%s","password":"not-%s"}' "$alice" "$password" |
  refused "a wrong password" AuthenticationRequired told com.atproto.server.createSession
session=$(printf '{"identifier":"%s","password":"%s"}' "$alice" "$password" | told com.atproto.server.createSession)
grep -qF "\"$did\"" <<< "$session" || { echo "the session is of another account than $did" >&2; exit 1; }
found=$(ask GET "com.atproto.identity.resolveHandle?handle=$alice" | text_of did)
[ "$found" = "$did" ] || { echo "the handle $alice leads to '$found' and not to $did" >&2; exit 1; }
refused "an unknown handle" "Unable to resolve handle" ask GET "com.atproto.identity.resolveHandle?handle=unknown-${alice#*-}"

remember alice "$alice"
remember alice_did "$did"
remember alice_token "$(text_of accessJwt <<< "$session")"
echo "$alice is $did by one invite, and neither a second account nor a wrong password gets in"
