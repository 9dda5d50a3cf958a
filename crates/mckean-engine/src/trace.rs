//! The network looked at sublayer by sublayer: states and adjoints of every sample, and the maps between them one by one.
//!
//! Maths: states T(t), T(t + dt/2) of eqs 2.1-2.4 and adjoints p of appendix C.4 of Gao et al. 2024, interleaved; sublayer k maps
//! state k to state k + 1, its particles meet state k and adjoint k + 1.
//! Shapes: states and adjoints (samples, n, D), plain f64, tokens are rows; particles tensor after tensor, as in the layout.
//! Cost: one forward and one adjoint pass on lanes of one sample (no registers): for analysis, not for training; all states are kept.
//! Checked: `tests/trace.rs` (the plain reference, differences, the fast gradient).

use crate::encoder::{self, Encoder, Group, Site, Tile, Work};
use crate::kernel::loss;
use crate::network::Network;
use crate::noise::Noise;
use mckean_data::{Dataset, Targets};
use mckean_model::config::Norm;
use mckean_model::{DepthMethod, ModelError, Role, TensorSpec};
use std::sync::Arc;

type Maybe = Option<Box<dyn Encoder<f64>>>;

/// The maps of a network's sublayers, one call each.
pub struct Maps {
    net: Arc<Network>,
    heads: Maybe,
    neurons: Maybe,
}

/// Particles of one kind: parameters tensor after tensor, and a scale for each.
#[derive(Clone, Copy)]
pub struct Cloud<'a> {
    /// Heads or neurons.
    pub role: Role,
    /// Parameters, tensor after tensor, particle first within a tensor.
    pub theta: &'a [f64],
    /// Factor of each particle.
    pub scales: &'a [f64],
}

/// Everything one forward and one adjoint pass saw.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// State in front of every sublayer and the last one: `sublayers + 1` times (samples, n, D).
    pub states: Vec<Vec<f64>>,
    /// Derivative of each sample's own loss with respect to the same states (not divided by the number of samples).
    pub adjoints: Vec<Vec<f64>>,
    /// Outputs (samples, C).
    pub outputs: Vec<f64>,
    /// Loss of every sample.
    pub losses: Vec<f64>,
}

impl Trace {
    /// Mean loss.
    pub fn risk(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }
}

impl Maps {
    /// The maps of `net`.
    ///
    /// # Errors
    /// Networks with normalisation, biases or padding, whose sublayers are no plain averages of particles.
    pub fn new(net: Arc<Network>) -> Result<Self, ModelError> {
        let (m, remedy) = (&net.config, "Certificates are for the model of the theorems.");
        if m.norm != Norm::None {
            return Err(ModelError::value("norm", "\"layer\"", "sublayers are no plain averages of particles", remedy));
        }
        if m.bias {
            return Err(ModelError::value("bias", true, "sublayers are no plain averages of particles", remedy));
        }
        if m.padding_token >= 0 {
            return Err(ModelError::value("padding_token", m.padding_token, "samples differ in length", remedy));
        }
        if m.depth_method != DepthMethod::Splitting {
            let value = format!("{:?}", m.depth_method).to_lowercase();
            return Err(ModelError::value("depth_method", value, "sublayers do not follow each other", remedy));
        }
        let (heads, neurons) = (encoder::attention(m, net.dim)?, encoder::feed_forward(m, net.dim)?);
        Ok(Maps { net, heads, neurons })
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.net
    }

    fn encoder(&self, role: Role) -> &dyn Encoder<f64> {
        let encoder = if role == Role::Head { &self.heads } else { &self.neurons };
        encoder.as_deref().expect("asked for a sublayer that the network has")
    }

    /// Tensors of one particle.
    pub fn tensors(&self, role: Role) -> &[TensorSpec] {
        self.encoder(role).tensors()
    }

    /// All particles of sublayer `k` with their scales (residual step times weight).
    pub fn cloud<'a>(&'a self, theta: &'a [f64], k: usize) -> Cloud<'a> {
        let sub = &self.net.sublayers[k];
        Cloud { role: sub.role, theta: &theta[sub.theta.clone()], scales: self.net.scales(sub.role, sub.slice) }
    }

    /// Particle `j` of sublayer `k`, tensor after tensor.
    pub fn particle(&self, theta: &[f64], k: usize, j: usize) -> Vec<f64> {
        let sub = &self.net.sublayers[k];
        let (own, total) = (&theta[sub.theta.clone()], sub.particles);
        let mut at = 0;
        let mut particle = vec![];
        for t in self.tensors(sub.role) {
            particle.extend_from_slice(&own[at + j * t.len()..at + (j + 1) * t.len()]);
            at += t.len() * total;
        }
        particle
    }

    fn tile(&self, len: usize) -> Tile {
        let (tokens, dim) = (self.net.tokens, self.net.dim);
        Tile { chunks: len / (tokens * dim), tokens, dim }
    }

    fn each(&self, cloud: Cloud<'_>, len: usize, mut call: impl FnMut(Site<'_, f64>, &dyn Encoder<f64>, &mut [f64])) {
        let (encoder, tile, total) = (self.encoder(cloud.role), self.tile(len), cloud.scales.len());
        let mut lanes = vec![0.0; encoder.scratch(&tile)];
        for first in (0..total).step_by(encoder.group()) {
            let group = Group { first, count: encoder.group().min(total - first), total };
            let (tokens, noise) = (self.net.tokens, Noise::none());
            let site = Site { tile, tokens, group, theta: cloud.theta, scales: cloud.scales, noise };
            call(site, encoder, &mut lanes);
        }
    }

    /// sum over the cloud of scale times encoder, for states `x` (samples, n, D).
    pub fn forward(&self, cloud: Cloud<'_>, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        self.each(cloud, x.len(), |site, encoder, lanes| {
            encoder.forward(site, x, &mut out, Work { kept: None, lanes, scalars: &mut [] });
        });
        out
    }

    /// Pulls cotangents `p` of [`Maps::forward`] back: (with respect to `x`, with respect to `cloud.theta` summed over samples).
    pub fn pull(&self, cloud: Cloud<'_>, x: &[f64], p: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (mut g_x, mut g) = (vec![0.0; x.len()], vec![0.0; cloud.theta.len()]);
        self.each(cloud, x.len(), |site, encoder, lanes| {
            encoder.vjp(site, (x, p), &mut g_x, &mut g, Work { kept: None, lanes, scalars: &mut [] });
        });
        (g_x, g)
    }

    /// Forward pass and adjoint pass over all samples of `data`.
    pub fn trace(&self, theta: &[f64], data: &Dataset) -> Trace {
        let mut trace = self.states(theta, data);
        let p = self.cotangent(theta, data, &mut trace);
        let mut adjoints = vec![p];
        for k in (0..self.net.sublayers.len()).rev() {
            let p = &adjoints[adjoints.len() - 1];
            let mut before = self.pull(self.cloud(theta, k), &trace.states[k], p).0;
            before.iter_mut().zip(p).for_each(|(g, p)| *g += p);
            adjoints.push(before);
        }
        adjoints.reverse();
        trace.adjoints = adjoints;
        trace
    }

    /// Forward pass alone: states and outputs, no adjoints.
    pub fn states(&self, theta: &[f64], data: &Dataset) -> Trace {
        let (net, samples) = (&self.net, data.samples);
        let mut z = vec![0.0; samples * net.tokens * net.dim];
        let tile = self.tile(z.len());
        net.stem.forward(tile, theta, &data.inputs, &mut z);
        let mut states = vec![z];
        for k in 0..net.sublayers.len() {
            let mut next = self.forward(self.cloud(theta, k), &states[k]);
            next.iter_mut().zip(&states[k]).for_each(|(y, x)| *y += x);
            states.push(next);
        }
        let (mut outputs, mut mean) = (vec![0.0; samples * net.reader.outputs], vec![0.0; samples * net.dim]);
        net.reader.forward(tile, theta, &states[states.len() - 1], &mut outputs, &mut mean);
        Trace { states, outputs, ..Trace::default() }
    }

    /// Losses, and the adjoint of the last state.
    fn cotangent(&self, theta: &[f64], data: &Dataset, trace: &mut Trace) -> Vec<f64> {
        let (net, c) = (&self.net, self.net.reader.outputs);
        let mut g_out = vec![0.0; trace.outputs.len()];
        for (i, (out, g)) in trace.outputs.chunks(c).zip(g_out.chunks_mut(c)).enumerate() {
            let target: Vec<f64> = match &data.targets {
                Targets::Values { data, .. } => data[i * c..(i + 1) * c].to_vec(),
                Targets::Classes { labels, .. } => (0..c).map(|k| f64::from(labels[i] as usize == k)).collect(),
            };
            trace.losses.push(loss::value_and_cotangent::<f64>(net.config.loss, 1.0, out, &target, g));
        }
        let last = &trace.states[trace.states.len() - 1];
        let (mut p, mut unused) = (vec![0.0; last.len()], vec![0.0; theta.len()]);
        let mut mean = vec![0.0; data.samples * net.dim];
        net.reader.vjp(self.tile(last.len()), theta, &g_out, &mut mean, &mut p, &mut unused);
        p
    }
}
