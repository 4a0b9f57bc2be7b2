#!/bin/bash
# Makes the folders that Ghost wants on an empty volume, with links to its own themes, and becomes the program.
set -euo pipefail

for folder in data files images logs media public settings themes; do mkdir -p "$GHOST_CONTENT/$folder"; done
for theme in "$GHOST_INSTALL"/current/content/themes/*/; do
  name=$(basename "$theme")
  [ -e "$GHOST_CONTENT/themes/$name" ] || ln -sfn "${theme%/}" "$GHOST_CONTENT/themes/$name"
done
exec "$@"
