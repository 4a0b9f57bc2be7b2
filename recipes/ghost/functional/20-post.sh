#!/usr/bin/env bash
# What it is for: an author publishes, and the world reads it, on its page and wherever pages are listed.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
mark=$(random_hex 6)
publish "Post $mark" "First words $mark" "\"tags\": [{ \"name\": \"Tag $mark\" }]"
id=$(id_in "$said")
# change JSON: of the post. Ghost refuses one by an author who has not seen the change before.
change() {
  said=$(made PUT "/ghost/api/admin/posts/$id/" <<< "{ \"posts\": [{ $1 }] }") || fail "the change is refused: $said"
}

holds "the new post" "$said" "\"url\":\"$CCCI_URL/$slug/\"" "\"slug\":\"tag-$mark\""
page=$(eventually ask GET "/$slug/")
holds "the post's page" "$page" "First words $mark" "<link rel=\"canonical\" href=\"$CCCI_URL/$slug/\""
grep -qE "<article.*<h1[^>]*>[^<]*Post $mark" <<< "${page//$'\n'/ }" || fail "the page has another heading"
for list in / "/tag/tag-$mark/"; do holds "$list" "$(ask GET "$list")" "Post $mark"; done
feed=$(ask GET /rss/ --include)
grep -qi '^content-type:.*xml' <<< "$feed" || fail "the feed is none: ${feed:0:400}"
holds "the feed" "$feed" "$CCCI_URL/$slug/"

# Another program reads with a key, and with no other one.
said=$(made POST '/ghost/api/admin/integrations/?include=api_keys' <<< "{ \"integrations\": [{ \"name\": \"Reader $mark\" }] }")
key=$(grep -oE '"secret":"[0-9a-f]{26}"' <<< "$said" | cut -d'"' -f4)
holds "what a reader with a key gets" "$(ask GET "/ghost/api/content/posts/slug/$slug/?key=$key")" "\"title\":\"Post $mark\""
denied "another key" 401 "" ask GET "/ghost/api/content/posts/slug/$slug/?key=0123456789abcdef0123456789"

denied "a change over another one" 409 "" change '"title": "Late", "updated_at": "2000-01-01T00:00:00.000Z"'
# A draft is its author's.
change "\"status\": \"draft\", \"updated_at\": \"$changed\""
eventually denied "the page of a draft" 404 "" ask GET "/$slug/"
change "\"status\": \"published\", \"updated_at\": \"$(text_of updated_at <<< "$said")\""
holds "the page of a draft that was published" "$(eventually ask GET "/$slug/")" "First words $mark"
remember keep_post_title "Post $mark"
remember keep_post_slug "$slug"
remember keep_post_words "First words $mark"
echo "post $slug is read by the world, and only while it is published"
