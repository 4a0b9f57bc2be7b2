#!/usr/bin/env bash
# A reader becomes a member by the link in a mail, and reads what members alone may read.
set -euo pipefail
# shellcheck source=../lib/ghost.sh
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
have_mailbox
mark=$(random_hex 6)
member=member-$mark@example.org
jar=$(mktemp "$CCCI_WORK/member.XXXXXX")
trap 'rm -f "$jar"' EXIT

# sign_up INTEGRITY_TOKEN: what Ghost says; it sends its mail before.
sign_up() {
  printf '{"email":"%s","name":"Member %s","emailType":"signup","integrityToken":"%s"}' "$member" "$mark" "$1" |
    ask POST /members/api/send-magic-link/ --header 'Content-Type: application/json' --data-binary @-
}

# Programs that fill in every form of the web have no token for this.
if said=$(sign_up "0:0:0"); then
  echo "Ghost took a sign-up by a token that is not its own: $said" >&2
  exit 1
fi
if "$CCCI_EXEC" app -- test -e "/tmp/mail-$member"; then
  echo "Ghost refused a sign-up by a token that is not its own, and has sent its mail all the same" >&2
  exit 1
fi
sign_up "$(ask GET /members/api/integrity-token/)" > /dev/null
link=$(mail_to "$member" | grep -oE "$CCCI_URL/members/\?token=[A-Za-z0-9_-]+&action=signup" | head -n 1)
[ -n "$link" ] || { echo "the mail to $member has no link to $CCCI_URL/members/" >&2; exit 1; }
# The link is a key: it goes through a file, too.
printf 'url = "%s"\n' "$link" |
  curl -sS --max-time 30 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} --cookie-jar "$jar" \
    --output /dev/null --config -

known=$(ask GET /members/api/member/ --cookie "$jar")
grep -qF "\"email\":\"$member\"" <<< "$known" || { echo "the member's session is ${known:-empty}" >&2; exit 1; }
stranger=$(ask GET /members/api/member/)
[ -z "$stranger" ] || { echo "a stranger is a member: $stranger" >&2; exit 1; }
listed=$(as_owner GET "/ghost/api/admin/members/?search=$mark")
grep -qF "\"email\":\"$member\"" <<< "$listed" || { echo "the owner's list has no $member: ${listed:0:300}" >&2; exit 1; }

made POST '/ghost/api/admin/posts/?source=html' > /dev/null << JSON
{ "posts": [{ "title": "Members $mark", "slug": "members-$mark", "html": "<p>Only for members $mark</p>",
  "status": "published", "visibility": "members" }] }
JSON
# Ghost works the post's address out after it has answered.
for ((left = 40; left > 0; left--)); do
  if public=$(ask GET "/members-$mark/"); then break; fi
  sleep 0.25
done
[ "$left" -gt 0 ] || { echo "the post has no page: ${public:0:300}" >&2; exit 1; }
grep -qF "Members $mark" <<< "$public" || { echo "the post's page has no title" >&2; exit 1; }
if grep -qF "Only for members $mark" <<< "$public"; then
  echo "a stranger reads what only members may read" >&2
  exit 1
fi
if ! ask GET "/members-$mark/" --cookie "$jar" | grep -F "Only for members $mark" > /dev/null; then
  echo "a member does not read what members may read" >&2
  exit 1
fi
echo "$member signed up by the link in a mail, and reads what a stranger does not"
