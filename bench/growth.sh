#!/usr/bin/env bash
# How time and memory of one gradient grow: with heads, blocks, samples (linear) and with the length of a sample
# (quadratic in time, linear in memory). Prints tables with the exponent between neighbouring rows.
# Usage: bench/growth.sh [--threads n]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p mckean-cli
row() { # label, arguments of mckean bench
  local label=$1; shift
  target/release/mckean bench "$@" --what gradient --seconds 2 --json |
    sed -E "s/.*\"median_ms\": *([0-9.e+-]+).*\"peak_rss_mb\": *([0-9.e+-]+).*/$label \1 \2/"
}
table() { # title; rows "x ms MB" on stdin
  awk -v title="$1" 'BEGIN { printf "\n| %s | gradient | exponent | memory |\n|---|---|---|---|\n", title }
    { e = NR > 1 ? sprintf("%.2f", log($2 / ms) / log($1 / x)) : ""; printf "| %d | %.3g ms | %s | %.0f MB |\n", $1, $2, e, $3; x = $1; ms = $2 }'
}
grow() { # title, keys that take the value, values
  local title=$1 keys=$2; shift 2
  for v in "$@"; do
    local set=(); for k in $keys; do set+=(--set "$k=$v"); done
    row "$v" bench/growth.toml "${set[@]}" "${extra[@]}"
  done | table "$title"
}
extra=("$@")
grow "heads and neurons" "model.heads model.neurons" 32 64 128 256 512
grow "blocks" "model.depth" 4 8 16 32 64
grow "samples" "data.train" 128 256 512 1024 2048
for n in 1024 2048 4096 8192; do # the presets hold the tokens of a batch at 16,384: per sample time is gradient n / 16,384
  row "$n" "text-gaussian-$n" "${extra[@]}" | awk '{ print $1, $2 * $1 / 16384, $3 }'
done | table "tokens of one sample (Gaussian byte text, f32)"
