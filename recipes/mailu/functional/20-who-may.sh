#!/usr/bin/env bash
# Who may send and read: nobody by a wrong password, nobody in another's name, and no stranger through here to elsewhere.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

new_mailbox carol
carol=$address
new_mailbox dave
right=$password mark=no-$(random_hex 6)
password=wrong-$right
refused "a mail by a wrong password" '^< 535' submit "$carol" "$mark" "no"
refused "a mailbox by a wrong password" 'login denied' imap INBOX --request NOOP
password=$right
refused "a mail without a login" '^< 530' smtp 587 "$address" "$carol" "$mark" "no"
from=$carol refused "a mail in another's name" '^< 553' submit "$carol" "$mark" "no"
refused "a mail to nobody" '^< 550' submit "nobody-$(random_hex 4)@$CCCI_DOMAIN" "$mark" "no"
# As a server that says a mail could not be delivered: such a sender is nowhere looked for. A server that looks for the
# other domain first says 450, that there is none.
refused "a stranger's mail to elsewhere" '^< (554 .*relay|450 )' smtp 25 '' "someone@elsewhere.example" "$mark" "no"
submit "$address" "yes-$mark" "yes" > /dev/null
delivered "yes-$mark" > /dev/null
echo "$address sends and reads by the right password alone, and strangers send nothing through here"
