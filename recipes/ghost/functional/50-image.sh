#!/usr/bin/env bash
# An image that an author uploads is kept as it was and shown smaller; a page in an image's place is refused.
set -euo pipefail
# shellcheck source=../lib/ghost.sh
. "$(dirname "$0")/../lib/ghost.sh"

have_owner
file=$CCCI_WORK/dot-$(random_hex 6).gif
dot "$file"
url=$(upload "$file" image/gif | text_of url)
case $url in
  "$CCCI_URL"/content/images/*) ;;
  *) echo "the image is at '$url'" >&2; exit 1 ;;
esac
trap 'rm -f "$file" "$file.back"' EXIT
path=${url#"$CCCI_URL"}
ask GET "${path%.*}_o.${path##*.}" --output "$file.back"
cmp "$file" "$file.back"
ask GET "$path" --output "$file.back"
[ "$(head -c 6 "$file.back")" = GIF89a ] || { echo "what is shown at $path is no image" >&2; exit 1; }
[ "$(wc -c < "$file.back")" -lt "$(wc -c < "$file")" ] || { echo "the image at $path is as large as what was uploaded" >&2; exit 1; }
printf '<script>alert(1)</script>' > "$file"
if said=$(upload "$file" text/html); then
  echo "Ghost took a page for an image: $said" >&2
  exit 1
fi
grep -qF UnsupportedMediaTypeError <<< "$said" || { echo "Ghost refused a page with ${said:0:300}" >&2; exit 1; }
echo "an image is at $path, what was uploaded is kept, and a page in its place is refused"
