#!/usr/bin/env bash
# A mail that every filter has to take for spam (GTUBE) is refused, and does not arrive.
set -euo pipefail
. "$(dirname "$0")/../lib/mail.sh"

new_mailbox erin
mark=$(random_hex 6)
# In two parts, so that no filter on the way of this file takes it for one.
gtube='XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI''-UBE-TEST-EMAIL*C.34X'
refused "spam" '^< 554' submit "$address" "spam-$mark" "$gtube"
submit "$address" "ham-$mark" "the same without it" > /dev/null
delivered "ham-$mark" > /dev/null
[ -z "$(with_subject "spam-$mark")" ] || fail "the spam was refused, and arrived"
echo "spam to $address is refused with 554, and the next mail arrives"
