#!/usr/bin/env bash
# Measures the limit solver; the numbers are kept in docs/limit.md.
#   coverage: how often the 95 % bar of 100 random problems covers (about 6 minutes on two cores)
#   groups: coverage of plain t intervals of one size, bias, skewness
#   particles: scatter of R(5), Sobol against independent; work: against a plain network of equal error
#   depth: error of the depth steps of every method, and its order
#   examples: the table of examples/limit_*.toml
# Usage: bench/limit.sh [part ...], all parts by default
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("${@:-coverage groups particles depth work examples}")
cargo build --release --quiet -p mckean-dynamics --example limit_coverage
lscpu | grep "Model name"
uptime
for part in ${parts[@]}; do
  echo "== $part"
  if [ "$part" != examples ]; then
    target/release/examples/limit_coverage "$part"
    continue
  fi
  cargo build --release --quiet -p mckean-cli
  out=$(mktemp -d)
  for name in mild mid strong atoms grid; do
    echo "-- $name"
    target/release/mckean limit "examples/limit_$name.toml" --out "$out"
  done
  rm -r "$out"
done
