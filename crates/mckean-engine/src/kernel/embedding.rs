//! The stem: raw tokens to states.
//!
//! Maths: identity, a linear map E x + b of each token, or row x of a table; then + position vector, class token in front.
//! Shapes: inputs (chunks, tokens_in, dim_in), states (chunks, tokens, D); embedding.weight (D, dim_in) or (vocabulary, D).
//! Cost: tokens_in dim_in D multiply-adds a sample for patches, a gather for tokens.
//! Checked: `tests/derivatives.rs`.

use super::{bias, tokens};
use crate::encoder::Tile;
use mckean_model::config::Embedding;
use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};
use mckean_num::product::{lanes, params, product, reduce};
use std::ops::Range;

/// Where the stem's tensors lie.
#[derive(Clone, Debug)]
pub struct Stem {
    /// Kind.
    pub embedding: Embedding,
    /// Map or table (empty for none).
    pub weight: Range<usize>,
    /// Bias of the map.
    pub bias: Option<Range<usize>>,
    /// Position vectors (tokens, D).
    pub positions: Option<Range<usize>>,
    /// Class token (D).
    pub class_token: Option<Range<usize>>,
    /// Tokens and dimension of the raw input.
    pub input: (usize, usize),
}

impl Stem {
    fn first(&self) -> usize {
        usize::from(self.class_token.is_some())
    }

    /// Raw inputs of chunk `c`.
    fn raw<'a, V>(&self, c: usize, inputs: &'a [V]) -> &'a [V] {
        let len = self.input.0 * self.input.1;
        &inputs[c * len..(c + 1) * len]
    }

    /// Fills the states `z`.
    pub fn forward<V: Lane>(&self, tile: Tile, theta: &[V::S], inputs: &[V], z: &mut [V]) {
        let d = tile.dim;
        for (c, z) in z.chunks_mut(tile.tokens * d).enumerate() {
            let (class, tokens) = z.split_at_mut(self.first() * d);
            self.embed(theta, self.raw(c, inputs), self.input.0, d, tokens);
            if let Some(t) = &self.class_token {
                spread(&theta[t.clone()], class);
            }
            if let Some(p) = &self.positions {
                bias::add(&theta[p.clone()], 1.0, z);
            }
        }
    }

    /// As `forward` for one sample with tokens in lanes; inputs belong to the tokens of the state, the class token's is ignored.
    pub fn forward_tokens<V: Lane>(&self, tile: Tile, theta: &[V::S], inputs: &[V], z: &mut [V]) {
        self.embed(theta, &inputs[..tile.rows() * self.input.1], tile.rows(), tile.dim, z);
        if let Some(t) = &self.class_token {
            tokens::set_first(&theta[t.clone()], &mut z[..tile.dim]);
        }
        if let Some(p) = &self.positions {
            tokens::add_positions(tile.dim, &theta[p.clone()], z);
        }
    }

    /// As `vjp` for one sample with tokens in lanes; padding of `p` is zero. `p` is used up.
    pub fn vjp_tokens<V: Lane>(&self, tile: Tile, inputs: &[V], p: &mut [V], g_theta: &mut [V::S]) {
        if let Some(r) = &self.positions {
            tokens::positions_vjp(tile.dim, p, &mut g_theta[r.clone()]);
        }
        if let Some(r) = &self.class_token {
            tokens::take_first(&mut p[..tile.dim], &mut g_theta[r.clone()]);
        }
        if let Some(r) = &self.bias {
            bias::vjp(p, 1.0, &mut g_theta[r.clone()]);
        }
        let raw = &inputs[..tile.rows() * self.input.1];
        self.embed_vjp(raw, tile.rows(), tile.dim, p, &mut g_theta[self.weight.clone()]);
    }

    fn embed<V: Lane>(&self, theta: &[V::S], raw: &[V], n: usize, d: usize, z: &mut [V]) {
        let (k, weight) = (self.input.1, &theta[self.weight.clone()]);
        match self.embedding {
            Embedding::None => z.copy_from_slice(raw),
            Embedding::Patch => product((n, d, k), lanes(raw, k, 1), params(weight, 1, k), 1.0, false, z, d),
            Embedding::Token => gather(weight, d, raw, z),
        }
        if let Some(b) = &self.bias {
            bias::add(&theta[b.clone()], 1.0, z);
        }
    }

    /// From the cotangent `p` of the states: adds to the gradient.
    pub fn vjp<V: Lane>(&self, tile: Tile, inputs: &[V], p: &[V], g_theta: &mut [V::S]) {
        let d = tile.dim;
        for (c, p) in p.chunks(tile.tokens * d).enumerate() {
            if let Some(r) = &self.positions {
                bias::vjp(p, 1.0, &mut g_theta[r.clone()]);
            }
            let (class, tokens) = p.split_at(self.first() * d);
            if let Some(r) = &self.class_token {
                bias::vjp(class, 1.0, &mut g_theta[r.clone()]);
            }
            if let Some(r) = &self.bias {
                bias::vjp(tokens, 1.0, &mut g_theta[r.clone()]);
            }
            self.embed_vjp(self.raw(c, inputs), self.input.0, d, tokens, &mut g_theta[self.weight.clone()]);
        }
    }

    fn embed_vjp<V: Lane>(&self, raw: &[V], n: usize, d: usize, p: &[V], g: &mut [V::S]) {
        let k = self.input.1;
        match self.embedding {
            Embedding::None => {}
            Embedding::Patch => reduce((d, k, n), lanes(p, 1, d), lanes(raw, k, 1), 1.0, g, (k, 1)),
            Embedding::Token => scatter(d, raw, p, g),
        }
    }
}

kernel! {
    /// `z[i] = s[i]` for every sample.
    fn spread<'a, V>(s: &'a [V::S], z: &'a mut [V]) {
        for (z, &s) in z.iter_mut().zip(s) { *z = V::splat(s); }
    }
}

kernel! {
    /// Rows of the table picked by each sample's tokens.
    fn gather<'a, V>(table: &'a [V::S], d: usize, raw: &'a [V], z: &'a mut [V]) {
        for (i, z) in z.iter_mut().enumerate() {
            *z = V::from_fn(|w| table[raw[i / d].get(w).re() as usize * d + i % d]);
        }
    }
}

kernel! {
    /// Adds each sample's cotangents to the rows it picked.
    fn scatter<'a, V>(d: usize, raw: &'a [V], p: &'a [V], g: &'a mut [V::S]) {
        for (i, &p) in p.iter().enumerate() {
            for w in 0..V::W {
                g[raw[i / d].get(w).re() as usize * d + i % d] += p.get(w);
            }
        }
    }
}
