#!/usr/bin/env bash
# A reader becomes a member by the link in a mail, and reads what members alone may read.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
have_mailbox app
mark=$(random_hex 6)
member=member-$mark@example.org
jar=$(mktemp "$CCCI_WORK/member.XXXXXX")
trap 'rm -f "$jar"' EXIT

# sign_up INTEGRITY_TOKEN: what Ghost says; it sends its mail before.
sign_up() {
  printf '{"email":"%s","name":"Member %s","emailType":"signup","integrityToken":"%s"}' "$member" "$mark" "$1" |
    ask POST /members/api/send-magic-link/ "${json[@]}"
}

# Programs that fill in every form of the web have no token for this.
refused "a sign-up by a token that is not Ghost's" 'error: 4' sign_up "0:0:0"
if (mail_to app "$member" > /dev/null 2>&1); then fail "Ghost has sent its mail to a sign-up that it refused"; fi
sign_up "$(ask GET /members/api/integrity-token/)" > /dev/null
link=$(mail_to app "$member" | grep -oE "$CCCI_URL/members/\?token=[A-Za-z0-9_-]+&action=signup" | head -n 1)
[ -n "$link" ] || fail "the mail to $member has no link to $CCCI_URL/members/"
# The link is a key: it goes through a pipe, too.
printf 'url = "%s"\n' "$link" |
  curl -sS --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} --cookie-jar "$jar" --output /dev/null --config -

holds "the member's session" "$(ask GET /members/api/member/ --cookie "$jar")" "\"email\":\"$member\""
stranger=$(ask GET /members/api/member/)
[ -z "$stranger" ] || fail "a stranger is a member: $stranger"
holds "the owner's list of members" "$(as_owner GET "/ghost/api/admin/members/?search=$mark")" "\"email\":\"$member\""

publish "Members $mark" "Only for members $mark" '"visibility": "members"'
public=$(eventually ask GET "/$slug/")
holds "the post's page" "$public" "Members $mark"
if grep -qF "Only for members $mark" <<< "$public"; then fail "a stranger reads what only members may read"; fi
holds "the post's page for a member" "$(ask GET "/$slug/" --cookie "$jar")" "Only for members $mark"
echo "$member signed up by the link in a mail, and reads what a stranger does not"
