#!/usr/bin/env bash
# A mailbox with a mail: a row of the admin's, and a file of dovecot's.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

new_mailbox seed
mark=seed-$(random_hex 6)
submit "$address" "$mark" "words of $mark" > /dev/null
delivered "$mark" > /dev/null
remember seed_mark "$mark"
remember seed_address "$address"
remember seed_password "$password"
echo "$address has the mail $mark"
