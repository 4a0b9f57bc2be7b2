#!/usr/bin/env bash
# Whoever comes first becomes the owner, and nobody after that. The files that follow use this session.
set -euo pipefail
. "$(dirname "$0")/../lib/n8n.sh"

have_owner
holds "the owner's session" "$(as_owner GET /rest/login)" "\"email\":\"$owner_email\"" '"role":"global:owner"'
printf '{"email":"late-%s","firstName":"Late","lastName":"Comer","password":"%s"}' "$owner_email" "$owner_password" |
  refused "a second owner" 'Instance owner already setup' call POST /rest/owner/setup "${json[@]}"
echo "$owner_email is the owner, and nobody else can become it"
