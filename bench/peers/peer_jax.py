"""JAX's side of the comparison: the presets of `mckean bench` under jit, one line of JSON per measurement.

Usage: peer_jax.py NAME WHAT [SECONDS], WHAT being gradient, step or hvp (forward over reverse). Threads are those of the
process's cores (use taskset for fewer).
"""
import math
import sys

import jax
import jax.numpy as jnp
import numpy as np

from peer import BATCH, MEAN_FIELD, TEXT, VIT, report

draws = np.random.default_rng(0)


def leaf(*shape, scale=None, dtype=np.float32):
    scale = 1 / math.sqrt(shape[0]) if scale is None else scale
    return jnp.asarray(scale * draws.standard_normal(shape), dtype=dtype)


def mean_field(D, n, L, M, B):
    wide = dict(scale=1.0, dtype=np.float64)
    H, y = leaf(B, n, D, **wide), leaf(B, **wide)
    P = {k: 0.1 * leaf(L, *s, **wide) for k, s in dict(V=(M, D, D), W=(M, D, D), W1=(M, D), W2=(M, D)).items()}

    def layer(Z, p):
        S = jax.nn.softmax(jnp.einsum("bia,mca,bjc->bmij", Z, p["W"], Z), axis=-1)
        U = jnp.einsum("bmij,bja->bmia", S, Z)
        Z = Z + 0.5 / (L * M) * jnp.einsum("bmia,mca->bic", U, p["V"])
        X = jnp.einsum("bia,ma->bim", Z, p["W1"])
        c = jnp.clip(X, 0, 1)
        return Z + 0.5 / (L * M) * jnp.einsum("bim,ma->bia", c * (X - 0.5 * c), p["W2"]), None

    def loss(P):
        return 0.5 * jnp.mean((jax.lax.scan(layer, H, P)[0][:, -1, -1] - y) ** 2)

    return loss, P


def toy(N=100, n=16, d=64):
    wide = dict(dtype=np.float64)
    X, Y = leaf(N, n, d, scale=1.0, **wide), leaf(N, n, d, scale=1.0, **wide)
    P = {k: leaf(d, d, **wide) for k in ("q", "k", "v", "w1", "w2")}

    def loss(P):
        A = jax.nn.softmax(X @ P["q"] @ (X @ P["k"]).swapaxes(1, 2) / d**0.5, axis=-1)
        Z = X + A @ (X @ P["v"])
        return jnp.sum((Z + jax.nn.relu(Z @ P["w1"]) @ P["w2"] - Y) ** 2) / (2 * N)

    return loss, P


def layer_norm(x, p):
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p["gain"] + p["bias"]


def linear(x, p):
    return x @ p["w"] + p["b"]


def attend(q, k, v, kernel):
    s = q @ k.swapaxes(-1, -2)
    if kernel == "gaussian":
        half = lambda x: 0.5 * (x * x).sum(-1, keepdims=True)
        return jnp.exp((s - half(q) - half(k).swapaxes(-1, -2)) / q.shape[-1] ** 0.5) @ v
    return jax.nn.softmax(s / q.shape[-1] ** 0.5, axis=-1) @ v


def encode(p, h, H, kernel):
    B, T, _ = h.shape
    q, k, v = linear(layer_norm(h, p["n1"]), p["qkv"]).reshape(B, T, 3, H, -1).transpose(2, 0, 3, 1, 4)
    h = h + linear(attend(q, k, v, kernel).swapaxes(1, 2).reshape(B, T, -1), p["o"])
    return h + linear(jax.nn.gelu(linear(layer_norm(h, p["n2"]), p["f1"])), p["f2"])


def practical(E, H, dh, ff, depth, stem, start, read, classes, kernel, B):
    dense = lambda a, b: dict(w=leaf(a, b), b=jnp.zeros(b))
    norm = lambda: dict(gain=jnp.ones(E), bias=jnp.zeros(E))
    block = lambda: dict(n1=norm(), n2=norm(), qkv=dense(E, 3 * H * dh), o=dense(H * dh, E), f1=dense(E, ff), f2=dense(ff, E))
    P = dict(stem=stem, blocks=[block() for _ in range(depth)], norm=norm(), head=dense(E, classes))
    y = jnp.asarray(draws.integers(0, classes, B))

    def loss(P):
        h = start(P["stem"])
        for p in P["blocks"]:
            h = encode(p, h, H, kernel)
        logits = linear(read(layer_norm(h, P["norm"])), P["head"])
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()

    return loss, P


def vit(E, H):
    x = leaf(BATCH, 64, 48, scale=1.0)
    stem = dict(w=leaf(48, E), b=jnp.zeros(E), token=leaf(1, 1, E, scale=0.02), places=leaf(1, 65, E, scale=0.02))
    start = lambda s: jnp.concatenate([jnp.broadcast_to(s["token"], (BATCH, 1, E)), linear(x, s)], 1) + s["places"]
    return practical(E, H, 16, 4 * E, 6, stem, start, lambda h: h[:, 0], 10, "softmax", BATCH)


def text(kernel, B, T, E=64):
    x = jnp.asarray(draws.integers(0, 256, (B, T)))
    return practical(E, 2, 32, 128, 2, leaf(256, E, scale=1.0), lambda table: table[x], lambda h: h.mean(1), 2, kernel, B)


def build(name):
    if name in MEAN_FIELD:
        return mean_field(*MEAN_FIELD[name])
    if name in VIT:
        return vit(*VIT[name])
    return text(*TEXT[name]) if name in TEXT else toy()


def adam(P, g, state):
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    move = lambda p, m, v: p - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return jax.tree.map(move, P, m, v), (m, v, t)


def descend(P, g, state):
    return jax.tree.map(lambda p, g: p - 1e-6 * g, P, g), state


def main():
    name, what, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 2.0
    jax.config.update("jax_enable_x64", name in MEAN_FIELD or name == "toy")
    loss, P = build(name)
    value, product = jax.jit(jax.value_and_grad(loss)), jax.jit(lambda P, V: jax.jvp(jax.grad(loss), (P,), (V,))[1])
    rule = adam if name in VIT or name in TEXT else descend
    one = jax.jit(lambda P, s: rule(P, jax.grad(loss)(P), s), donate_argnums=(0, 1))
    zeros = lambda: jax.tree.map(jnp.zeros_like, P)
    now = [jax.tree.map(jnp.copy, P), (zeros(), zeros(), jnp.zeros(()))]
    direction = jax.tree.map(lambda p: jnp.asarray(draws.standard_normal(p.shape), dtype=p.dtype), P)

    def step():
        now[0], now[1] = one(*now)
        jax.block_until_ready(now[0])

    gradient = lambda: jax.block_until_ready(value(P))
    tasks = dict(gradient=gradient, step=step, hvp=lambda: jax.block_until_ready(product(P, direction)))
    report("jax " + jax.__version__, name, what, tasks[what], gradient if what == "hvp" else None, seconds)


main()
