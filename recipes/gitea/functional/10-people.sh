#!/usr/bin/env bash
# Two people with tokens, and an organisation of the first one's. The files that follow use them.
set -euo pipefail
# shellcheck source=../lib/gitea.sh
. "$(dirname "$0")/../lib/gitea.sh"

mark=$(random_hex 5)
add_user "bob-$mark"
remember bob "bob-$mark"
remember bob_token "$token"
add_user "alice-$mark" --admin
remember alice "alice-$mark"
remember alice_password "$password"
remember alice_token "$token"

grep -qF "\"login\":\"alice-$mark\"" <<< "$(ask GET /api/v1/user)" || { echo "the token is not alice-$mark's" >&2; exit 1; }
ask POST /api/v1/orgs --data "{\"username\":\"club-$mark\",\"full_name\":\"Club $mark\"}" > /dev/null
remember club "club-$mark"
got=$(ask GET /api/v1/user/orgs)
grep -qF "\"name\":\"club-$mark\"" <<< "$got" || { echo "alice-$mark is in no organisation club-$mark: ${got:0:400}" >&2; exit 1; }
# A token that is nobody's opens nothing.
token=$(random_hex 20)
if said=$(ask GET /api/v1/user); then
  echo "a made-up token is taken: $said" >&2
  exit 1
fi
grep -qF 'invalid' <<< "$said" || { echo "a made-up token was refused with: $said" >&2; exit 1; }
echo "alice-$mark owns club-$mark, bob-$mark is a stranger"
