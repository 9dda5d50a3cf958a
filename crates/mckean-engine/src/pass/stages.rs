//! Forward over depth and adjoint back when depth is a Runge-Kutta discretisation of the depth ODE.
//!
//! Maths: K_i = F(T + dt sum_j a_ij K_j, slice_i), T += dt sum_i b_i K_i, F = (mean f + mean h)/2 (eq 3.1 of Gao et al.).
//! DERIVED, exact transpose: k_i = dt (b_i p + sum_{l>i} a_li g_l), g_i = F_T(X_i)^* [k_i], p += sum_i g_i; particles collect F_beta^* [k_i].
//! Shapes: the tape holds the state X_i in front of every evaluation; `stages` holds K_i, then k_i.
//! Cost: one field evaluation a stage forward, one vector-Jacobian product a stage backward; nothing kept but states.
//! Checked: `tests/depth.rs`.

use super::Pass;
use super::branch::{Branch, Buffers};
use crate::encoder::Tile;
use crate::job::Job;
use crate::network::Network;
use crate::noise::Noise;
use mckean_model::depth::Stages;
use mckean_num::kernel;
use mckean_num::lane::Lane;
use std::sync::Arc;

impl<V: Lane> Pass<V> {
    /// From the embedded tokens in `z` to the state at depth 1, in place.
    pub(super) fn forward_stages(&mut self, job: &Job<'_, V::S>, tile: Tile, stages: &Stages, keep: bool) {
        let (net, len, dt) = (self.net.clone(), tile.len(), self.net.config.dt());
        for step in 0..net.config.depth {
            for (i, stage) in stages.stages.iter().enumerate() {
                let slot = if keep { (step * stages.b.len() + i) * len } else { 0 };
                let (done, rest) = self.stages.split_at_mut(i * len);
                let x = &mut self.tape[slot..slot + len];
                x.copy_from_slice(&self.z[..len]);
                for &(j, a) in &stage.a {
                    add_times(dt * a, &done[j * len..(j + 1) * len], x);
                }
                rest[..len].fill(V::zero());
                self.field(job, &net, tile, step * stages.stride + stage.slice, (slot, i));
            }
            for (i, &b) in stages.b.iter().enumerate().filter(|(_, b)| **b != 0.0) {
                add_times(dt * b, &self.stages[i * len..(i + 1) * len], &mut self.z[..len]);
            }
        }
    }

    /// Adds F(tape at `slot`, slice) to stage `i`.
    fn field(&mut self, job: &Job<'_, V::S>, net: &Arc<Network>, tile: Tile, slice: usize, (slot, i): (usize, usize)) {
        let len = tile.len();
        for sub in net.of_slice(slice) {
            let buffers = Buffers { kept: &mut [], lanes: &mut self.scratch, scalars: &mut self.scalars };
            let branch = Branch::new((&self.attention, &self.feed_forward), net, sub, (self.axis, self.tokens), tile);
            let x = &self.tape[slot..slot + len];
            branch.forward(job, Noise::none(), x, &mut self.stages[i * len..(i + 1) * len], buffers);
        }
    }

    /// From the cotangent `p` of the state at depth 1 to that of the embedded tokens, in place; particles' gradients add up.
    pub(super) fn backward_stages(&mut self, job: &Job<'_, V::S>, tile: Tile, stages: &Stages, grad: &mut [V::S]) {
        let (net, len, dt) = (self.net.clone(), tile.len(), self.net.config.dt());
        for step in (0..net.config.depth).rev() {
            for (i, &b) in stages.b.iter().enumerate() {
                let k = &mut self.stages[i * len..(i + 1) * len];
                k.fill(V::zero());
                add_times(dt * b, &self.p[..len], k);
            }
            for (i, stage) in stages.stages.iter().enumerate().rev() {
                let slot = (step * stages.b.len() + i) * len;
                self.z[..len].fill(V::zero()); // the last state has served
                self.field_vjp(job, &net, tile, step * stages.stride + stage.slice, (slot, i), grad);
                let g = &self.z[..len];
                for &(j, a) in &stage.a {
                    add_times(dt * a, g, &mut self.stages[j * len..(j + 1) * len]);
                }
                add_times(1.0, g, &mut self.p[..len]);
            }
        }
    }

    /// Adds F_T^* [stage i] to `z` and F_beta^* [stage i] to the particles' gradients.
    fn field_vjp(
        &mut self,
        job: &Job<'_, V::S>,
        net: &Arc<Network>,
        tile: Tile,
        slice: usize,
        (slot, i): (usize, usize),
        grad: &mut [V::S],
    ) {
        let len = tile.len();
        for sub in net.of_slice(slice) {
            let buffers = Buffers { kept: &mut [], lanes: &mut self.scratch, scalars: &mut self.scalars };
            let branch = Branch::new((&self.attention, &self.feed_forward), net, sub, (self.axis, self.tokens), tile);
            let at = (&self.tape[slot..slot + len], &self.stages[i * len..(i + 1) * len]);
            branch.vjp(job, Noise::none(), at, &mut self.z[..len], &mut grad[sub.theta.clone()], buffers);
        }
    }
}

kernel! {
    fn add_times<'a, V>(c: f64, x: &'a [V], z: &'a mut [V]) {
        for (z, &x) in z.iter_mut().zip(x) { *z = x.times_add(c, *z); }
    }
}
