"""What both peers share: sizes of the presets, timing, the line of JSON."""
import json
import os
import resource
import statistics
import time

BATCH = 64
MEAN_FIELD = {"mf-small": (8, 5, 16, 64, 256), "mf-large": (8, 8, 32, 1024, 64)}  # D, n, L, M, B
VIT = {"vit-e64": (64, 4), "vit-e160": (160, 10), "vit-e192": (192, 10), "vit-e640": (640, 40)}  # width, heads
TEXT = {"text-gaussian-2048": ("gaussian", 8, 2048), "text-gaussian-4000": ("gaussian", 4, 4000), "text-softmax-2048": ("softmax", 8, 2048)}


def busy():
    with open("/proc/stat") as f:
        fields = [float(x) for x in f.readline().split()[1:9]]
    return sum(fields[i] for i in (0, 1, 2, 5, 6, 7)) / 100


def times(f, seconds):
    """Sorted milliseconds, processor milliseconds a call, share of the cores that others kept busy."""
    f(), f()
    ms, start, cpu, all_busy = [], time.perf_counter(), time.process_time(), busy()
    while len(ms) < 3 or (time.perf_counter() - start < seconds and len(ms) < 2000):
        t = time.perf_counter()
        f()
        ms.append(1e3 * (time.perf_counter() - t))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    others = max(0.0, (busy() - all_busy - cpu) / (wall * os.cpu_count()))
    return sorted(ms), 1e3 * cpu / len(ms), others


def report(side, name, what, f, gradient, seconds):
    ms, cpu, others = times(f, seconds)
    line = dict(side=os.environ.get("SIDE", "") + side, name=name, what=what, median_ms=round(statistics.median(ms), 3),
                min_ms=round(ms[0], 3), max_ms=round(ms[-1], 3), repetitions=len(ms), cpu_ms=round(cpu, 3), others_busy=round(others, 3),
                peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1))
    if gradient is not None:
        line["gradient_ms"] = round(statistics.median(times(gradient, seconds)[0]), 3)
        line["hvp_ratio"] = round(line["median_ms"] / line["gradient_ms"], 3)
    print(json.dumps(line), flush=True)
