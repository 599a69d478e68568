#!/usr/bin/env bash
# The README's first program is examples/first_steps, word for word, and has at most 25 lines.
set -euo pipefail
cd "$(dirname "$0")/.."
shown=$(awk '/^```cpp$/ { show = 1; next } /^```$/ { if (show) exit } show' README.md)
[ "$shown" = "$(cat examples/first_steps/main.cpp)" ] || { echo "README.md shows another program than examples/first_steps/main.cpp"; exit 1; }
[ "$(wc -l <examples/first_steps/main.cpp)" -le 25 ] || { echo "the first program has more than 25 lines"; exit 1; }
