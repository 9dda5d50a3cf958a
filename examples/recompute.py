"""Recomputes the training risk and the objective of a finished run from its files, without mckean.

    python3 examples/recompute.py RUN_DIR

Formats and formulas: docs/formats.md. Compares with the first and the last line of metrics.jsonl; exit status 0: they
agree to 1e-10 (precision f32: 1e-5), 1: they do not, 2: nothing to compare. Needs Python 3.11 and NumPy.
"""
import json
import math
import sys
import tomllib
from pathlib import Path

import numpy as np

TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "U64": "<u8", "U8": "u1"}
ERFC = np.vectorize(math.erfc, otypes=[float])
SIGMA = {
    "relu": lambda x: np.maximum(x, 0.0),
    "hub_relu": lambda x: np.clip(x, 0.0, 1.0) * (x - 0.5 * np.clip(x, 0.0, 1.0)),
    "gelu": lambda x: 0.5 * x * ERFC(-x / math.sqrt(2.0)),
    "tanh": np.tanh,
}


def load(path):
    """Tensors by name, and notes: 8 bytes length (little-endian), that many bytes of JSON, then the values."""
    raw = path.read_bytes()
    body = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:body])
    notes = header.pop("__metadata__", {})
    part = lambda t: np.frombuffer(raw[body:][slice(*t["data_offsets"])], TYPES[t["dtype"]])
    return {name: part(t).reshape(t["shape"]) for name, t in header.items()}, notes


def weights(m, sublayer):
    """Weights pi_j of the particles of a sublayer."""
    one = "head" if sublayer == "attention" else "neuron"
    if m["parametrisation"] == "sp":
        return np.ones(m[one + "s"])
    given = np.array(m[one + "_weights"] or [1.0] * m[one + "s"], float)
    return given / given.sum()


def outputs(m, t, x):
    """Outputs (samples, C) of the network for raw tokens x (samples, n, d); a missing tensor is zero."""
    z = embed(m, t, x)
    step = m["residual_step"] or (0.5 / m["depth"] if m["parametrisation"] == "mean_field" else 1.0)
    for block in range(m["depth"]):
        for sublayer, branch in ("attention", heads), ("feed_forward", neurons):
            if m[sublayer] != "none":
                p = f"blocks.{block}.{sublayer}."
                f = branch(m, t, p, weights(m, sublayer), normed(m, t, p + "norm.", z))
                z = z + step * (f + t.get(p + "bias", 0.0))
    z = normed(m, t, "norm.", z)
    if m["readout"] == "entry":
        return z[:, m["readout_token"], m["readout_row"], None]
    if m["readout"] == "all":
        return z.reshape(len(z), -1)
    mean = z[:, 0] if m["readout"] == "class_token" else z.mean(1)
    return mean if m["readout"] == "rows" else mean @ t["readout.weight"].T + t["readout.bias"]


def embed(m, t, x):
    if m["embedding"] == "patch":
        x = x @ t["embedding.weight"].T + t.get("embedding.bias", 0.0)
    elif m["embedding"] == "token":
        x = t["embedding.weight"][x[:, :, 0].astype(int)]
    if m["class_token"]:
        x = np.concatenate([np.broadcast_to(t["class_token"], (len(x), 1, x.shape[2])), x], axis=1)
    return x + t.get("positions", 0.0)


def normed(m, t, p, z):
    if m["norm"] == "none":
        return z
    z = z - z.mean(-1, keepdims=True)
    return t[p + "gain"] * z / np.sqrt((z**2).mean(-1, keepdims=True) + 1e-5) + t[p + "bias"]


def heads(m, t, p, pi, x):
    """sum_j pi_j f(x, theta_j): token i mixes the values of all tokens by row i of S and maps them by V or O."""
    bias = lambda name, j: t[p + name + "_bias"][j] if m["bias"] else 0.0
    total = 0.0
    for j in range(len(pi)):
        if m["attention"] == "vw":
            q, k, v, o = x @ t[p + "w"][j].T, x, x, t[p + "v"][j]
        else:
            q, k, v = (x @ t[p + name][j].T + bias(name, j) for name in "qkv")
            o = t[p + "o"][j] if m["attention"] == "qkvo" else np.eye(v.shape[2])
        total = total + pi[j] * (attention(m, q, k) @ v @ o.T)
    return total


def attention(m, q, k):
    """Attention matrices S (samples, n, n)."""
    far = m["kernel"] in ("gaussian", "normalised_gaussian")
    tau = m["kernel_tau"] or (1.0 if m["attention"] == "vw" and not far else math.sqrt(q.shape[2]))
    if far:
        a = ((q[:, :, None] - k[:, None]) ** 2).sum(-1) / (-2.0 * tau)
    else:
        a = q @ k.transpose(0, 2, 1) / tau
    seen = np.tri(a.shape[1], dtype=bool) if m["causal"] else True
    if m["kernel"] in ("softmax", "normalised_gaussian"):
        a = np.where(seen, a, -np.inf)
        e = np.exp(a - a.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)
    return np.where(seen, {"gaussian": np.exp, "linear": np.array, "relu": SIGMA["relu"]}[m["kernel"]](a), 0.0)


def neurons(m, t, p, pi, x):
    """sum_j pi_j W2_j sigma(W1_j x + b1_j), all hidden units of all neurons at once."""
    w1, w2 = t[p + "w1"].reshape(-1, x.shape[2]), t[p + "w2"].transpose(0, 2, 1).reshape(-1, x.shape[2])
    s = SIGMA[m["activation"]](x @ w1.T + np.ravel(t.get(p + "b1", 0.0)))
    return s * np.repeat(pi, m["hidden"]) @ w2


def loss(m, out, y):
    """Sum of the losses; y (samples, C) are values or one-hot classes."""
    out = out[:, out.shape[1] - y.shape[1]:]  # read-out "rows": the last C rows
    if m["loss"] == "squared":
        return 0.5 * ((out - y) ** 2).sum()
    top = out.max(1)
    return (np.log(np.exp(out - top[:, None]).sum(1)) + top - (y * out).sum(1)).sum()


def risk_and_objective(config, samples, classes, t):
    m, x, y = config["model"], samples["inputs"], samples["targets"]
    if y.ndim == 1:
        y = np.eye(classes)[y]
    if m["readout"] == "auto":
        m["readout"] = "entry" if y.shape[1] == 1 else "rows"
    batches = [slice(i, i + 64) for i in range(0, len(x), 64)]
    risk = sum(loss(m, outputs(m, t, x[b]), y[b]) for b in batches) / len(x)
    penalty = 0.0
    for name, tensor in t.items():  # blocks.0.attention.v is a tensor of particles, blocks.0.attention.bias is not
        parts, square = name.split("."), tensor.reshape(len(tensor), -1) ** 2
        particles = len(parts) == 4 and parts[3] != "bias" and m["parametrisation"] == "mean_field"
        penalty += weights(m, parts[2]) @ square.sum(1) / m["depth"] if particles else square.sum()
    return risk, risk + 0.5 * config["dynamics"]["weight_decay"] * penalty


def main(run):
    config = tomllib.loads((run / "resolved.toml").read_text("utf-8"))
    single = config["dynamics"]["precision"] == "f32"
    (samples, notes), (start, _), (end, _) = (load(run / f"arrays/{name}.safetensors") for name in ("samples", "start", "end"))
    classes = int(notes["outputs"])
    lines, worst = [json.loads(line) for line in open(run / "metrics.jsonl", encoding="utf-8")], 0.0
    for when, t, line in ("start", start, lines[0]), ("end", end, lines[-1]):
        for name, own in zip(("risk", "objective"), risk_and_objective(config, samples, classes, t)):
            logged = float(line[name])  # "NaN" and "Infinity" are strings
            lost = not math.isfinite(logged) and (single or not math.isfinite(own))  # diverged, f32 earlier than f64
            gap = 0.0 if lost else abs(own - logged) / max(abs(logged), 1e-300)
            worst = max(worst, math.inf if math.isnan(gap) else gap)
            print(f"{when:6}{name:10} recomputed {own:.16e}  logged {logged:.16e}  relative difference {gap:.1e}")
    limit = 1e-5 if single else 1e-10
    print(f"largest difference {worst:.1e}, limit {limit:.0e}:", "agrees" if worst <= limit else "DIFFERS")
    return 0 if worst <= limit else 1


if __name__ == "__main__":
    np.seterr(all="ignore")  # diverged runs
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(Path(sys.argv[1])))
    except FileNotFoundError as e:
        print(f"nothing to compare: no {e.filename} (unfinished, or samples not kept)", file=sys.stderr)
        sys.exit(2)
