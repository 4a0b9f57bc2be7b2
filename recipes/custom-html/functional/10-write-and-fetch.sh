#!/usr/bin/env bash
# What is written into the folder of pages is what the world reads, byte for byte.
set -euo pipefail

root=/usr/share/nginx/html
name="written-$CCCI_RUN"
text="text of run $CCCI_RUN: \$HOME, \"quotes\", ünïcode"

"$CCCI_EXEC" app -- \
  sh -c 'mkdir -p "$1" && printf "%s\n" "$2" > "$1/page.txt" && printf "{\"run\":\"%s\"}\n" "$3" > "$1/data.json" && printf "body { color: black }\n" > "$1/style.css" && chmod -R a+rX "$1"' \
  sh "$root/$name" "$text" "$CCCI_RUN"

got=$(curl -sS --fail --max-time 20 --cacert "$CCCI_CA" ${CCCI_RESOLVE:+--resolve "$CCCI_RESOLVE"} "$CCCI_URL/$name/page.txt")
if [ "$got" != "$text" ]; then
  echo "wrote: $text"
  echo "read:  $got"
  echo "the page is not what was written" >&2
  exit 1
fi

# The next files look at the same folder.
printf 'written=%s\n' "$name" >> "$CCCI_WORK/variables"
echo "wrote $name/page.txt and read the same back over HTTPS"
