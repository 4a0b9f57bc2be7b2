#!/usr/bin/env bash
# An account of before the upgrade sends and gets mail on the new release.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

act_as "$seed_address" "$seed_password"
goes_on
echo "$address sends and gets mail after the upgrade"
