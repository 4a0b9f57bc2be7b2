#!/usr/bin/env bash
# On a fresh server the first mailbox opens, and is empty.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

new_mailbox first
holds "the mailbox" "$(imap '' --request 'EXAMINE INBOX')" '* 0 EXISTS'
echo "$address opens an empty mailbox"
