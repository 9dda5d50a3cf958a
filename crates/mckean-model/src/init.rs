//! Draws the initial particles, each from its own named stream.
//!
//! Maths: rho_0(. | t) of Gao et al., section 2; (theta, w) of particle j are one joint draw, parts that are not used are dropped.
//! Shapes: writes the flat parameter vector.
//! Cost: linear in the parameters.
//! Checked: tests below: scales, and that narrow networks are sub-samples of wide ones.

use crate::config::{InitConfig, InitialLaw, ModelConfig};
use crate::layout::{Layout, Role, Start, Tensor};
use mckean_num::rng::Seed;

/// Parameters at the start of training for this seed.
pub fn draw(config: &ModelConfig, init: &InitConfig, layout: &Layout, seed: Seed) -> Vec<f64> {
    let mut beta = vec![0.0; layout.len];
    for (i, t) in layout.tensors.iter().enumerate().filter(|(_, t)| t.role == Role::Shared) {
        start_shared(t, seed, i, &mut beta[t.range.clone()]);
    }
    for block in 0..config.depth {
        let heads: Vec<&Tensor> = layout.particles(block, Role::Head).collect();
        let neurons: Vec<&Tensor> = layout.particles(block, Role::Neuron).collect();
        for j in 0..config.heads.max(config.neurons) {
            let particle = joint_draw(init, &heads, &neurons, seed, block, j);
            scatter(&particle, &heads, &neurons, j, &mut beta);
        }
    }
    beta
}

fn start_shared(t: &Tensor, seed: Seed, index: usize, out: &mut [f64]) {
    match t.start {
        Start::Zero => out.fill(0.0),
        Start::One => out.fill(1.0),
        Start::Gaussian(std) => {
            let mut draws = seed.stream("init.shared").at(index as u64).open();
            out.iter_mut().for_each(|x| *x = std * draws.normal());
        }
    }
}

/// All numbers of particle j at this block: head tensors, then neuron tensors.
fn joint_draw(
    init: &InitConfig,
    heads: &[&Tensor],
    neurons: &[&Tensor],
    seed: Seed,
    block: usize,
    j: usize,
) -> Vec<f64> {
    let mut draws = seed.stream("init").at(block as u64).at(j as u64).open();
    let mut particle = Vec::new();
    for t in heads.iter().chain(neurons) {
        let std = standard_deviation(init, t);
        particle.extend((0..t.particle_len()).map(|_| std * draws.normal()));
    }
    if init.law == InitialLaw::Ball {
        let norm = particle.iter().map(|x| x * x).sum::<f64>().sqrt();
        let radius = init.scale * draws.uniform().powf(1.0 / particle.len() as f64);
        particle.iter_mut().for_each(|x| *x *= radius / norm);
    }
    particle
}

fn standard_deviation(init: &InitConfig, t: &Tensor) -> f64 {
    let particles = if t.sums_particles { t.shape[0] } else { 1 };
    match init.law {
        _ if t.fan_in == 0 && init.law != InitialLaw::Ball => 0.0,
        InitialLaw::Ball => 1.0,
        InitialLaw::Gaussian => init.scale / (t.particle_len() as f64).sqrt(),
        InitialLaw::FanIn => init.scale / ((t.fan_in * particles) as f64).sqrt(),
    }
}

fn scatter(particle: &[f64], heads: &[&Tensor], neurons: &[&Tensor], j: usize, beta: &mut [f64]) {
    let mut rest = particle;
    for t in heads.iter().chain(neurons) {
        let (own, tail) = rest.split_at(t.particle_len());
        rest = tail;
        if j < t.shape[0] {
            beta[t.particle(j)].copy_from_slice(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::TensorSpec;

    fn setting(heads: usize, neurons: usize) -> (ModelConfig, Layout) {
        let config = ModelConfig { depth: 2, heads, neurons, ..Default::default() };
        let spec = |name, n: usize, sums| TensorSpec { name, shape: vec![n, 3], fan_in: 3, sums_particles: sums };
        let mut layout = Layout::default();
        for l in 0..2 {
            layout.push_particles(l, "attention", Role::Head, heads, &[spec("v", 3, true), spec("w", 3, false)]);
            layout.push_particles(l, "feed_forward", Role::Neuron, neurons, &[spec("w1", 1, false)]);
        }
        (config, layout)
    }

    #[test]
    fn narrow_networks_are_sub_samples_of_wide_ones() {
        for law in [InitialLaw::Gaussian, InitialLaw::Ball] {
            let init = InitConfig { law, scale: 1.5 };
            let (narrow, wide) = (setting(2, 3), setting(6, 4));
            let (a, b) = (draw(&narrow.0, &init, &narrow.1, Seed(1)), draw(&wide.0, &init, &wide.1, Seed(1)));
            for t in &narrow.1.tensors {
                let u = wide.1.find(&t.name).unwrap();
                assert_eq!(a[t.particle(1)], b[u.particle(1)]);
            }
        }
    }

    #[test]
    fn scales_are_as_documented() {
        let (config, layout) = setting(4000, 1);
        let v = layout.find("blocks.0.attention.v").unwrap();
        let mean_square = |beta: &[f64]| beta[v.range.clone()].iter().map(|x| x * x).sum::<f64>() / 4000.0;
        let gaussian = draw(&config, &InitConfig { law: InitialLaw::Gaussian, scale: 2.0 }, &layout, Seed(1));
        assert!((mean_square(&gaussian) - 4.0).abs() < 0.1);
        let fan_in = draw(&config, &InitConfig { law: InitialLaw::FanIn, scale: 1.0 }, &layout, Seed(1));
        assert!((mean_square(&fan_in) * 12000.0 / 9.0 - 1.0).abs() < 0.05);
        let ball = draw(&config, &InitConfig { law: InitialLaw::Ball, scale: 3.0 }, &layout, Seed(1));
        let w = layout.find("blocks.0.attention.w").unwrap();
        let radius = |j| [v, w].iter().flat_map(|t| &ball[t.particle(j)]).map(|x| x * x).sum::<f64>().sqrt();
        let largest = (0..4000).map(radius).fold(0.0, f64::max);
        assert!(largest <= 3.0 && largest > 2.9);
    }
}
