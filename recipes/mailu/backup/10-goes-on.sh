#!/usr/bin/env bash
# A restored server is a working one: the restored account sends and gets mail.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

act_as "$seed_address" "$seed_password"
goes_on
echo "$address sends and gets mail after the restore"
