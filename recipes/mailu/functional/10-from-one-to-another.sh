#!/usr/bin/env bash
# What it is for: who is logged in sends a mail, and the one it is for, and no other, reads it.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

new_mailbox bob
bob=$address bob_password=$password
new_mailbox alice
mark=hello-$(random_hex 6)
submit "$bob" "$mark" "words of $mark" > /dev/null
alice=$address alice_password=$password
act_as "$bob" "$bob_password"
mail=$(delivered "$mark")
holds "bob's mail" "$mail" "From: <$alice>" "To: <$bob>" "words of $mark" "Return-Path: <$alice>"
act_as "$alice" "$alice_password"
[ -z "$(with_subject "$mark")" ] || fail "what $alice wrote to $bob is in the own mailbox"
echo "$bob reads by IMAP what $alice sent by SMTP"
