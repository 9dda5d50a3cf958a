"""One value and gradient of the mean-field model in JAX (jit, f64), timed: the peer of `mckean-bench`.

The model is that of Gao et al. 2024: softmax (V, W) attention, HuberizedReLU neurons with one hidden unit, averages over
particles, residual step 1/(2L), squared loss on the last entry of the last token. One line of JSON per size.
"""
import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
SIZES = [(8, 5, 16, 64, 256), (4, 5, 16, 256, 64), (8, 8, 32, 1024, 64)]


def hub(x):
    c = jnp.clip(x, 0.0, 1.0)
    return c * (x - 0.5 * c)


def make(D, n, L, M, B):
    draw = np.random.default_rng(0).standard_normal
    H, y = jnp.asarray(draw((B, n, D))), jnp.asarray(draw(B))
    shapes = dict(V=(L, M, D, D), W=(L, M, D, D), W1=(L, M, D), W2=(L, M, D))
    theta = {k: jnp.asarray(0.1 * draw(s)) for k, s in shapes.items()}

    def block(Z, p):
        S = jax.nn.softmax(jnp.einsum("bia,mca,bjc->bmij", Z, p["W"], Z), axis=-1)
        U = jnp.einsum("bmij,bja->bmia", S, Z)
        Z = Z + 0.5 / (L * M) * jnp.einsum("bmia,mca->bic", U, p["V"])
        X = hub(jnp.einsum("bia,ma->bim", Z, p["W1"]))
        return Z + 0.5 / (L * M) * jnp.einsum("bim,ma->bia", X, p["W2"]), None

    def risk(theta):
        Z, _ = jax.lax.scan(block, H, theta)
        return 0.5 * jnp.mean((Z[:, -1, -1] - y) ** 2)

    return jax.jit(jax.value_and_grad(risk)), theta


def main():
    sizes = SIZES[:1] if "--first" in sys.argv else SIZES
    for size in sizes:
        f, theta = make(*size)
        jax.block_until_ready(f(theta))
        times = []
        for _ in range(5 if size[3] == 1024 else 20):
            t = time.perf_counter()
            jax.block_until_ready(f(theta))
            times.append(1e3 * (time.perf_counter() - t))
        name = "D{} n{} L{} M{} B{}".format(*size)
        print(json.dumps({"what": "jax f64", "size": name, "median_ms": round(float(np.median(times)), 2), "min_ms": round(min(times), 2)}), flush=True)


main()
