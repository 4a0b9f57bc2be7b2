#!/usr/bin/env bash
# A restored Keycloak is a working one: a person who comes after the restore gets in.
set -euo pipefail
. "$(dirname "$0")/../lib/keycloak.sh"

realm=$seed_realm person=new-$(random_hex 6)
take_tokens "manager:$seed_manager_secret" grant_type=client_credentials
bearer=$access
add_person "$person" Comer "new-$seed_password"
take_tokens "app:$seed_secret" "grant_type=password&username=$person&password=new-$seed_password"
holds "the newcomer's token" "$(part 2 "$access")" "\"preferred_username\":\"$person\""
echo "$person came to realm $realm after the restore, and logs in"
