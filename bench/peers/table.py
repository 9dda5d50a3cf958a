"""Prints the lines of JSON that `compare.sh` gathered as a table: medians, ranges, ratios to the faster peer, noise, processor."""
import json
import statistics
import sys

rows = [json.loads(line) for line in open(sys.argv[1])]
rows = [dict(r, side=r.get("side", "mckean")) for r in rows]
print("processor:", next((r["cpu"] for r in rows if "cpu" in r), "unknown"))
for name, what in dict.fromkeys((r["name"], r["what"]) for r in rows):
    here = [r for r in rows if (r["name"], r["what"]) == (name, what)]
    middle = {s: statistics.median(r["median_ms"] for r in here if r["side"] == s) for s in dict.fromkeys(r["side"] for r in here)}
    peer = min((m for s, m in middle.items() if s != "mckean"), default=float("nan"))
    print(f"\n{name} {what}")
    for side, m in middle.items():
        own = [r for r in here if r["side"] == side]
        low, high = min(r["median_ms"] for r in own), max(r["median_ms"] for r in own)
        cpu, noise = statistics.median(r["cpu_ms"] or 0 for r in own), max(r["others_busy"] or 0 for r in own)
        ratio = "".join(f", product/gradient {r['hvp_ratio']:.2f}" for r in own[:1] if r.get("hvp_ratio"))
        ratio += "".join(f", {100 * r['peak_share']:.0f} % of the peak, {r['peak_rss_mb']:.0f} MB" for r in own[:1] if "peak_share" in r)
        faster = f", faster peer takes {peer / m:.2f} times that" if side == "mckean" else ""
        print(f"  {side:22} {m:10.2f} ms ({low:.2f} to {high:.2f}), processor {cpu:.2f} ms{faster}{ratio}{'  noisy' if noise > 0.1 else ''}")
