#!/usr/bin/env bash
# Make .venv-assistant with Home Assistant as released, apart from everything of ours, and let it find the appliance.
set -euo pipefail
cd "$(dirname "$0")/.."

# What it would install at its first start by itself, at the versions that it asks for.
readonly SPEAKER=assistant RELEASE=homeassistant==2025.4.4 MORE="home-assistant-frontend==20250411.0 paho-mqtt==2.1.0" STAMP=.venv-assistant/setup-stamp
. tools/apt.sh

# Home Assistant needs a newer Python than the box has.
python=${ASSISTANT_PYTHON:-}
[ -n "$python" ] || { python3.13 -c "" 2>/dev/null && python=python3.13; } || true
[ -n "$python" ] || { say "Home Assistant 2025.4 needs Python 3.13: name one with ASSISTANT_PYTHON=/path/to/python3.13"; exit 1; }
stamp_now() { { cat "$0"; pwd; "$python" --version; } | sha256sum; }
if [ "$(cat "$STAMP" 2>/dev/null)" != "$(stamp_now)" ]; then
    say "installing $RELEASE for $("$python" --version) (some minutes: a few of its parts are compiled)"
    rm -rf .venv-assistant
    "$python" -m venv .venv-assistant
    .venv-assistant/bin/python -m pip install -qq --disable-pip-version-check --no-input "$RELEASE" $MORE
    stamp_now >"$STAMP"
fi
exec .venv/bin/python -m tools.home_assistant
