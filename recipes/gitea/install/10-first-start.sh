#!/usr/bin/env bash
# A fresh gitea is set up, has nobody in it, and lets nobody make an account.
set -euo pipefail
. "$(dirname "$0")/../lib/gitea.sh"
headers=()

holds "the list of people" "$(call GET /api/v1/users/search)" '"ok":true' '"data":[]'
page=$(call GET /user/login)
holds "the login page" "$page" 'name="user_name"' 'name="password"'
# The address that clones and links are made of.
holds "the page's own address" "$(grep 'property="og:url"' <<< "$page")" "content=\"https://$CCCI_DOMAIN"
password=$(random_hex 12)
if said=$(call POST /user/sign_up --data "user_name=stranger&email=stranger@example.org&password=$password&retype=$password"); then
  fail "a stranger makes an account: ${said:0:400}"
fi
[[ $said != *stranger@example.org* ]] || fail "the refusal is about the stranger's address: ${said:0:400}"
denied "a look at the stranger" 404 stranger call GET /api/v1/users/stranger
echo "gitea has nobody in it, and nobody can come in"
