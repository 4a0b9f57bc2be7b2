#!/usr/bin/env bash
# The mailbox opens by its password, and the mail is in it.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

act_as "$seed_address" "$seed_password"
number=$(with_subject "$seed_mark")
[ -n "$number" ] || fail "the mailbox of $address has no mail $seed_mark"
holds "the mail" "$(imap "INBOX;MAILINDEX=${number%% *}")" "words of $seed_mark" "From: <$address>"
echo "$address still has the mail $seed_mark"
