#!/usr/bin/env bash
# The mails go through dovecot, which holds an index of them, and the account through the admin.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

act_as "$seed_address" "$seed_password"
imap INBOX --request 'STORE 1:* +FLAGS.SILENT (\Deleted)' > /dev/null
imap INBOX --request EXPUNGE > /dev/null
[ -z "$(with_subject "$seed_mark")" ] || fail "dovecot keeps the mail $seed_mark"
"$CCCI_EXEC" admin -- flask mailu user-delete -r "$address"
echo "$address and its mails are gone"
