#!/usr/bin/env bash
# Two people with tokens, and an organisation of the first one's. The files that follow use them.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"

mark=$(random_hex 5)
add_user "bob-$mark"
remember_all bob="bob-$mark" bob_token="$token"
add_user "alice-$mark" --admin
remember_all alice="alice-$mark" alice_password="$password" alice_token="$token" club="club-$mark"
holds "the token's owner" "$(ask GET /api/v1/user)" "\"login\":\"alice-$mark\""
ask POST /api/v1/orgs --data "{\"username\":\"club-$mark\",\"full_name\":\"Club $mark\"}" > /dev/null
holds "the list of alice-$mark's organisations" "$(ask GET /api/v1/user/orgs)" "\"name\":\"club-$mark\""
# A token that is nobody's opens nothing.
token=$(random_hex 20)
refused "a made-up token" invalid ask GET /api/v1/user
echo "alice-$mark owns club-$mark, bob-$mark is a stranger"
