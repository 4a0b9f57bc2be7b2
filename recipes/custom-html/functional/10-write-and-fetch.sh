#!/usr/bin/env bash
# What is written into the folder of pages is what the world reads, byte for byte.
set -euo pipefail
. "$CCCI_SH"

root=/usr/share/nginx/html
name="written-$CCCI_RUN"
text="text of run $CCCI_RUN: \$HOME, \"quotes\", ünïcode"

"$CCCI_EXEC" app -- \
  sh -c 'mkdir -p "$1" && printf "%s\n" "$2" > "$1/page.txt" && printf "{\"run\":\"%s\"}\n" "$3" > "$1/data.json" && printf "body { color: black }\n" > "$1/style.css" && chmod -R a+rX "$1"' \
  sh "$root/$name" "$text" "$CCCI_RUN"

got=$(call GET "/$name/page.txt")
[ "$got" = "$text" ] || fail "the page is not what was written: wrote $text, read $got"

# The next files look at the same folder.
remember written "$name"
echo "wrote $name/page.txt and read the same back over HTTPS"
