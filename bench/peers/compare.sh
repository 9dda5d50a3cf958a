#!/usr/bin/env bash
# Times one gradient of the mean-field model in JAX and in mckean, in turn, on the same cores, and prints the ratio of medians.
# Makes its own virtual environment (bench/peers/.venv, about 0.8 GB). Options: --first (smallest size only).
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=bench/peers/.venv
[ -x "$venv/bin/python" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet jax==0.10.2 numpy; }
cargo build --release --quiet -p mckean-bench
out=$(mktemp)
for round in 1 2 3; do
  target/release/mckean-bench 2 "$@" >>"$out"
  "$venv/bin/python" bench/peers/mean_field_jax.py "$@" >>"$out"
done
python3 - "$out" <<'PY'
import json, statistics, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
for size in dict.fromkeys(r["size"] for r in rows):
    pick = lambda what: [r["median_ms"] for r in rows if r["size"] == size and r["what"] == what]
    ours, peer = pick("gradient f64"), pick("jax f64")
    a, b = statistics.median(ours), statistics.median(peer)
    print(f"{size}: mckean {a:.1f} ms ({min(ours):.1f} to {max(ours):.1f}), JAX {b:.1f} ms ({min(peer):.1f} to {max(peer):.1f}), ratio {b / a:.1f}")
PY
