#!/bin/sh
# What the container runs: the app, on all of the container's addresses. Further options of `virtus serve` go behind it.
set -eu
if [ -n "${VIRTUS_CHECKPOINT:-}" ]; then
  python -m virtus doctor "$VIRTUS_CHECKPOINT" # fetches it: by itself the app takes only what was fetched before
fi
exec python -m virtus serve --host 0.0.0.0 --port 7860 "$@"
