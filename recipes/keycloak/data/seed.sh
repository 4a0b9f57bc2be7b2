#!/usr/bin/env bash
# A realm with clients and a user; its id and its signing key are what other apps know it by.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

make_realm seed
remember seed_id "$(request GET "/admin/realms/$realm" | text_of id)"
remember seed_key "$(ask GET "/realms/$realm" | text_of public_key)"
echo "made realm $realm with two clients and a user"
