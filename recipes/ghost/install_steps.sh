#!/usr/bin/env bash
# Ghost's mail stays in its own container, with the server that have_mailbox starts: who signs in on a new device gets a
# code by mail, and who becomes a member a link.
set -euo pipefail
. "$CCCI_SH"

set_app mail__transport SMTP
set_app mail__options__host 127.0.0.1
set_app mail__options__port 2525
set_app mail__options__secure false
echo "Ghost's mail stays in its container"
