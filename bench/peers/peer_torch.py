"""PyTorch's side of the comparison: the presets of `mckean bench` in eager mode, one line of JSON per measurement.

Usage: peer_torch.py NAME WHAT [SECONDS], WHAT being gradient, step or hvp. Two threads (THREADS overrides). Linear maps are
(out, in) matrices without framework layers, so that both peers read alike; attention is `scaled_dot_product_attention`, except
where its second derivative is needed (no fused kernel has one) and for the Gaussian kernel.
"""
import math
import os
import sys

import torch
import torch.nn.functional as F

from peer import BATCH, MEAN_FIELD, TEXT, VIT, report

torch.set_num_threads(int(os.environ.get("THREADS", "2")))
torch.manual_seed(0)


def leaf(*shape, scale=None, dtype=torch.float32):
    scale = 1 / math.sqrt(shape[-1]) if scale is None else scale
    return (torch.randn(*shape, dtype=dtype) * scale).requires_grad_()


def mean_field(D, n, L, M, B):
    wide = dict(dtype=torch.float64)
    H, y = torch.randn(B, n, D, **wide), torch.randn(B, **wide)
    V, W, W1, W2 = (leaf(L, *s, scale=0.1, **wide) for s in [(M, D, D), (M, D, D), (M, D), (D, M)])

    def loss():
        Z, step = H, 0.5 / (L * M)
        for l in range(L):
            query = (Z.reshape(B * n, D) @ W[l].reshape(M * D, D).T).view(B, n, M, D).transpose(1, 2)
            S = (query @ Z[:, None].transpose(-1, -2)).softmax(-1)
            U = (S @ Z[:, None]).transpose(1, 2).reshape(B * n, M * D)
            Z = Z + step * (U @ V[l].reshape(M * D, D)).view(B, n, D)
            X = Z @ W1[l].T
            c = X.clamp(0, 1)
            Z = Z + step * (c * (X - 0.5 * c)) @ W2[l].T
        return 0.5 * ((Z[:, -1, -1] - y) ** 2).mean()

    return loss, [V, W, W1, W2], None


def toy(N=100, n=16, d=64):
    wide = dict(dtype=torch.float64)
    X, Y = torch.randn(N, n, d, **wide), torch.randn(N, n, d, **wide)
    q, k, v, w1, w2 = P = [leaf(d, d, **wide) for _ in range(5)]

    def loss():
        A = (X @ q @ (X @ k).transpose(1, 2) / d**0.5).softmax(-1)
        Z = X + A @ (X @ v)
        return ((Z + (Z @ w1).relu() @ w2 - Y) ** 2).sum() / (2 * N)

    def descend(grads):
        with torch.no_grad():
            for p, g in zip(P, grads):
                p -= 1e-6 * g

    return loss, P, descend


def gaussian(q, k, v):
    square = lambda x: 0.5 * (x * x).sum(-1, keepdim=True)
    return torch.exp((q @ k.transpose(-1, -2) - square(q) - square(k).transpose(-1, -2)) / q.shape[-1] ** 0.5) @ v


def softmax(q, k, v):
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v


def block(E, H, dh, ff):
    names = dict(qkv=(3 * H * dh, E), o=(E, H * dh), f1=(ff, E), f2=(E, ff))
    p = {k: leaf(*s) for k, s in names.items()}
    p |= {k + "_b": leaf(s[0], scale=0.0) for k, s in names.items()}
    p |= {k: torch.ones(E, requires_grad=True) for k in ("g1", "g2")} | {k: leaf(E, scale=0.0) for k in ("b1", "b2")}
    return p


def encode(p, h, H, dh, attend):
    B, T, E = h.shape
    z = F.linear(F.layer_norm(h, (E,), p["g1"], p["b1"]), p["qkv"], p["qkv_b"])
    q, k, v = z.view(B, T, 3, H, dh).permute(2, 0, 3, 1, 4)
    h = h + F.linear(attend(q, k, v).transpose(1, 2).reshape(B, T, H * dh), p["o"], p["o_b"])
    z = F.linear(F.layer_norm(h, (E,), p["g2"], p["b2"]), p["f1"], p["f1_b"])
    return h + F.linear(F.gelu(z, approximate="tanh"), p["f2"], p["f2_b"])


def practical(E, H, dh, ff, depth, embed, read, classes, attend, B):
    blocks, head = [block(E, H, dh, ff) for _ in range(depth)], [leaf(classes, E), leaf(classes, scale=0.0)]
    norm, y = [torch.ones(E, requires_grad=True), leaf(E, scale=0.0)], torch.randint(0, classes, (B,))
    stem, start = embed
    params = stem + [x for p in blocks for x in p.values()] + norm + head

    def loss():
        h = start()
        for p in blocks:
            h = encode(p, h, H, dh, attend)
        return F.cross_entropy(F.linear(read(F.layer_norm(h, (E,), *norm)), *head), y)

    return loss, params, torch.optim.Adam(params, 1e-3, fused=True)


def vit(E, H, second=False):
    B, x = BATCH, torch.randn(BATCH, 64, 48)
    w, b, token, places = stem = [leaf(E, 48), leaf(E, scale=0.0), leaf(1, 1, E, scale=0.02), leaf(1, 65, E, scale=0.02)]
    start = lambda: torch.cat([token.expand(B, -1, -1), F.linear(x, w, b)], 1) + places
    attend = softmax if second else F.scaled_dot_product_attention
    return practical(E, H, 16, 4 * E, 6, (stem, start), lambda h: h[:, 0], 10, attend, B)


def text(kernel, B, T, E=64):
    x, table = torch.randint(0, 256, (B, T)), leaf(256, E, scale=1.0)
    attend = gaussian if kernel == "gaussian" else F.scaled_dot_product_attention
    return practical(E, 2, 32, 128, 2, ([table], lambda: table[x]), lambda h: h.mean(1), 2, attend, B)


def build(name, what):
    if name in MEAN_FIELD:
        return mean_field(*MEAN_FIELD[name])
    if name in VIT:
        return vit(*VIT[name], second=what == "hvp")
    return text(*TEXT[name]) if name in TEXT else toy()


def main():
    name, what, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 2.0
    loss, params, optimiser = build(name, what)
    gradient = lambda: torch.autograd.grad(loss(), params)
    direction = [torch.randn_like(p) for p in params]

    def product():
        return torch.autograd.grad(torch.autograd.grad(loss(), params, create_graph=True), params, direction)

    def step():
        if callable(optimiser):
            return optimiser(gradient())
        optimiser.zero_grad(set_to_none=True)
        loss().backward()
        optimiser.step()

    tasks = dict(gradient=gradient, step=step, hvp=product)
    report("torch " + torch.__version__, name, what, tasks[what], gradient if what == "hvp" else None, seconds)


main()
