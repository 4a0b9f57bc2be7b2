#!/usr/bin/env bash
# Posts, members and images go under the running Ghost, as a lost disk takes them. The owner stays: Ghost could make no
# new one before it starts again.
set -euo pipefail

gone=$("$CCCI_EXEC" app -- node -e "$(cat "$(dirname "$0")/../lib/wipe.js")")
echo "gone are ${gone##*$'\n'}"
