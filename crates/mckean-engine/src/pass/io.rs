//! Samples in, losses and outputs out, for both layouts of lanes.
//!
//! Maths: lanes are filled up with the last sample or token at weight zero; trailing padding of a sample is left out.
//! Shapes: inputs (chunks, raw tokens, raw dim) or (rows, raw dim) lanes; targets and cotangents as the read-out's lanes.
//! Cost: one transposition of the samples; the loss.
//! Checked: `tests/derivatives.rs`, `tests/tokens.rs`.

use super::Pass;
use crate::encoder::Tile;
use crate::job::{Job, Sums};
use crate::kernel::loss;
use crate::plan::LaneAxis;
use mckean_data::{Dataset, Targets};
use mckean_model::Readout;
use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};

impl<V: Lane> Pass<V> {
    pub(super) fn gather(&mut self, job: &Job<'_, V::S>, items: &[u32]) {
        match self.axis {
            LaneAxis::Samples => self.gather_samples(job, items),
            LaneAxis::Tokens => self.gather_tokens(job, items[0] as usize),
        }
    }

    /// Transposes the samples into lanes; empty places repeat the last sample with weight zero.
    fn gather_samples(&mut self, job: &Job<'_, V::S>, items: &[u32]) {
        let (data, raw, outputs) = (job.data, self.net.data.tokens * self.net.data.dim, self.net.reader.outputs);
        let item = |i: usize| items[i.min(items.len() - 1)] as usize;
        for c in 0..items.len().div_ceil(V::W) {
            let at = c * V::W;
            for (i, x) in self.inputs[c * raw..(c + 1) * raw].iter_mut().enumerate() {
                *x = V::from_fn(|w| V::S::new(data.inputs[item(at + w) * raw + i], 0.0));
            }
            for (k, y) in self.targets[c * outputs..(c + 1) * outputs].iter_mut().enumerate() {
                *y = V::from_fn(|w| V::S::new(target(data, item(at + w), k), 0.0));
            }
            self.weights[c] = part(job.weight, items.len() - at);
            (0..V::W).for_each(|w| self.ids[at + w] = item(at + w) as u32);
        }
    }

    /// One sample, consecutive tokens in a lane; padding repeats the last token, a class token gets the first.
    fn gather_tokens(&mut self, job: &Job<'_, V::S>, item: usize) {
        let (n, k, class) = (self.net.data.tokens, self.net.data.dim, self.net.tokens - self.net.data.tokens);
        let (sample, d) = (&job.data.inputs[item * n * k..(item + 1) * n * k], self.net.dim);
        let own = length(sample, k, self.net.config.padding_token);
        self.tokens = own + class;
        let raw = |token: usize| token.saturating_sub(class).min(own - 1);
        for (i, x) in self.inputs.iter_mut().enumerate() {
            *x = V::from_fn(|w| V::S::new(sample[raw(i / k * V::W + w) * k + i % k], 0.0));
        }
        let all = self.net.reader.kind == Readout::All;
        for (i, y) in self.targets.iter_mut().enumerate() {
            let place = |w: usize| if all { (i / d * V::W + w).min(self.tokens - 1) * d + i % d } else { i };
            *y = V::from_fn(|w| V::S::new(target(job.data, item, place(w)), 0.0));
        }
        self.weights[0] = part(job.weight, 1);
        self.ids[0] = item as u32;
    }

    pub(super) fn losses(&mut self, job: &Job<'_, V::S>, tile: Tile, samples: usize) -> Sums {
        let square = largest_square(tile.dim, &self.z[..tile.len()]);
        let largest_square =
            (0..V::W).fold(0.0, |m: f64, w| if square.get(w).re() > m { square.get(w).re() } else { m });
        let mut sums = Sums { token_norm: largest_square.sqrt(), ..Sums::default() };
        match self.axis {
            LaneAxis::Tokens if self.net.reader.kind == Readout::All => self.loss_of_all(job.weight, tile, &mut sums),
            LaneAxis::Tokens => self.losses_of(job, 1, 1, &mut sums),
            LaneAxis::Samples => self.losses_of(job, tile.chunks, samples, &mut sums),
        }
        if !sums.risk.is_finite() {
            sums.token_norm = f64::NAN; // lanes drop NaN when they compare
        }
        sums
    }

    fn losses_of(&mut self, job: &Job<'_, V::S>, chunks: usize, samples: usize, sums: &mut Sums) {
        let (outputs, loss) = (self.net.reader.outputs, self.net.config.loss);
        let classes = matches!(job.data.targets, Targets::Classes { .. });
        for c in 0..chunks {
            let own = c * outputs..(c + 1) * outputs;
            let (out, target) = (&self.out[own.clone()], &self.targets[own.clone()]);
            let value = loss::value_and_cotangent(loss, self.weights[c], out, target, &mut self.g_out[own]);
            for w in 0..V::W.min(samples - c * V::W) {
                sums.risk += value.get(w).re();
                sums.tangent += value.get(w).eps();
                sums.correct += usize::from(classes && outputs > 1 && largest(out, w) == largest(target, w));
            }
        }
    }

    /// Every entry of every token: a lane row at a time, padding with weight zero.
    fn loss_of_all(&mut self, weight: f64, tile: Tile, sums: &mut Sums) {
        for r in 0..tile.rows() {
            let own = r * tile.dim..(r + 1) * tile.dim;
            let (out, target) = (&self.out[own.clone()], &self.targets[own.clone()]);
            let weight = part(weight, self.tokens - r * V::W);
            let value =
                loss::value_and_cotangent(self.net.config.loss, weight, out, target, &mut self.g_out[own]).hsum();
            sums.risk += value.re();
            sums.tangent += value.eps();
        }
    }

    /// Copies the outputs of `samples` samples out of the lanes, row-major.
    pub(super) fn write(&self, out: &mut [f64]) {
        let (c, d) = (self.net.reader.outputs, self.net.dim);
        let all = self.net.reader.kind == Readout::All;
        for (i, o) in out.iter_mut().enumerate() {
            let (sample, k) = (i / c, i % c);
            *o = match self.axis {
                LaneAxis::Samples => self.out[sample / V::W * c + k].get(sample % V::W),
                LaneAxis::Tokens if all => self.out[k / d / V::W * d + k % d].get(k / d % V::W),
                LaneAxis::Tokens => self.out[k].get(0),
            }
            .re();
        }
    }
}

/// Tokens of a sample in front of its trailing padding; a sample of nothing else keeps one.
fn length(sample: &[f64], dim: usize, padding: i64) -> usize {
    let filled = |token: &[f64]| padding < 0 || token[0] != padding as f64;
    sample.chunks(dim).rposition(filled).map_or(1, |last| last + 1)
}

/// `weight` in the first `count` entries, zero in the others.
fn part<V: Lane>(weight: f64, count: usize) -> V {
    V::from_fn(|w| V::S::new(if w < count { weight } else { 0.0 }, 0.0))
}

fn target(data: &Dataset, sample: usize, k: usize) -> f64 {
    match &data.targets {
        Targets::Values { data, outputs } => data[sample * outputs + k],
        Targets::Classes { labels, .. } => f64::from(labels[sample] as usize == k),
    }
}

fn largest<V: Lane>(values: &[V], w: usize) -> usize {
    let best = |b: usize, k: usize| {
        if values[k].get(w).re() > values[b].get(w).re() { k } else { b }
    };
    (1..values.len()).fold(0, best)
}

kernel! {
    /// Largest squared 2-norm over the rows of `z`, entry by entry.
    fn largest_square<'a, V>(d: usize, z: &'a [V]) -> V {
        let mut largest = V::zero();
        for row in z.chunks(d) {
            let mut square = V::zero();
            for &x in row {
                square = x.fma(x, square);
            }
            largest = largest.max_detached(square);
        }
        largest
    }
}
