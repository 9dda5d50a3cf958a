#!/usr/bin/env bash
# Times the presets of `mckean bench` in mckean, PyTorch and JAX, in turn, on two threads, and prints medians and ratios.
# Usage: bench/peers/compare.sh [preset ...] [--rounds n] [--quick]. A preset is NAME or NAME:hvp.
# Makes its own virtual environment, bench/peers/.venv (several GB; PEERS=DIR uses another). TUNED=1 adds PyTorch with MKL told that the CPU is Intel's.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=bench/peers; venv=${PEERS:-$here/.venv}; python=$venv/bin/python; rounds=3; seconds=2; presets=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift ;;
    --quick) rounds=1; seconds=0.5 ;;
    -*) echo "unknown option $1" >&2; exit 2 ;;
    *) presets+=("$1") ;;
  esac
  shift
done
[ ${#presets[@]} -gt 0 ] || presets=(mf-small mf-large toy text-gaussian-2048 text-gaussian-4000 text-softmax-2048 vit-e64 vit-e192 vit-e640
  mf-small:hvp toy:hvp vit-e160:hvp)
[ -x "$python" ] || python3 -m venv "$venv"
"$python" -c 'import torch, jax, numpy' 2>/dev/null || "$venv/bin/pip" install --quiet torch==2.13.0 jax==0.10.2 numpy
tuned=${TUNED:-0}
if grep -q AuthenticAMD /proc/cpuinfo && grep -q avx512f /proc/cpuinfo; then tuned=1; fi
if [ "$tuned" = 1 ]; then
  printf 'int mkl_serv_intel_cpu_true(void) { return 1; }\nint mkl_serv_intel_cpu(void) { return 1; }\n' |
    cc -shared -fPIC -x c -o "$venv/tuned.so" -
fi
cargo build --release --quiet -p mckean-cli
out=$(mktemp)
try() { "$@" >>"$out" || echo "failed: $*" >&2; }
for _ in $(seq "$rounds"); do
  for p in "${presets[@]}"; do
    name=${p%%:*}; what=step
    case $name in mf-*) what=gradient ;; esac
    case $p in *:*) what=${p#*:} ;; esac
    try target/release/mckean bench "$name" --what "$what" --seconds "$seconds" --threads 2 --json
    try "$python" $here/peer_torch.py "$name" "$what" "$seconds"
    if [ "$tuned" = 1 ]; then SIDE="tuned " LD_PRELOAD=$(realpath "$venv/tuned.so") try "$python" $here/peer_torch.py "$name" "$what" "$seconds"; fi
    try taskset -c 0,1 "$python" $here/peer_jax.py "$name" "$what" "$seconds"
  done
done
"$python" $here/table.py "$out"
