#!/usr/bin/env bash
# The page's looks: the style sheet that it names is there, to be kept by browsers, and the theme's inside is not.
set -euo pipefail
. "$(dirname "$0")/../lib/ghost.sh"

sheet=$(ask GET / | grep -oE '<link [^>]*rel="stylesheet"[^>]*>' | grep -oE '/assets/[^?"]+\?v=[0-9a-zA-Z_-]+' | head -n 1)
said=$(ask GET "$sheet" --include)
grep -qi '^content-type: text/css' <<< "$said" || fail "$sheet is no style sheet: ${said:0:400}"
grep -qi '^cache-control: .*max-age=31536000' <<< "$said" || fail "browsers may not keep $sheet: ${said:0:400}"
[[ $said == *.gh-* ]] || fail "$sheet has no style of Ghost's: ${said:0:400}"
[ "$(ask GET "$sheet" | wc -c)" -gt 5000 ] || fail "$sheet is short: ${said:0:400}"
# Templates, which Ghost looks for under an address that ends with a slash.
for inside in "/assets/none-${sheet#*=}.css" /index.hbs /package.json; do
  denied "$inside" 404 "" ask GET "$inside" --location
done
echo "$sheet is a style sheet that browsers keep, and the theme's inside is not shown"
