#!/bin/bash
# Makes the signing key where there is none, waits for nothing, and becomes the server: a database
# that is not up yet ends it, and swarm starts it again.
set -euo pipefail
python -m synapse.app.homeserver --config-path "$SYNAPSE_CONFIG_PATH" --generate-keys
exec python -m synapse.app.homeserver --config-path "$SYNAPSE_CONFIG_PATH"
