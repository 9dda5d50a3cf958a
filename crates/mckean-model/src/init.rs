//! Draws the initial particles, each from its own named stream.
//!
//! Maths: rho_0(. | t) of Gao et al., section 2; (theta, w) of particle j are one joint draw, parts that are not used are dropped.
//! Shapes: writes the flat parameter vector.
//! Cost: linear in the parameters.
//! Checked: tests below: scales, depth, and that narrow networks are sub-samples of wide ones.

use crate::atoms;
use crate::config::{InitConfig, ModelConfig};
use crate::law::Law;
use crate::layout::{Layout, Role, Start, Tensor};
use mckean_num::rng::Seed;

/// Parameters at the start of training for this seed.
pub fn draw(config: &ModelConfig, init: &InitConfig, layout: &Layout, seed: Seed) -> Vec<f64> {
    let mut beta = shared(layout, seed);
    let family = law(init, layout);
    for block in 0..config.slices() {
        let law = family.at(config.depth_method.time(config.depth, block));
        let atoms = law.atoms();
        let width = config.heads.max(config.neurons);
        let slots = Slots::new(layout, block);
        if !atoms.is_empty() {
            let indices = atoms::indices(seed, block, width, atoms.len());
            indices.into_iter().enumerate().for_each(|(j, k)| slots.place(j, &atoms[k], &mut beta));
            continue;
        }
        let pair = if init.symmetric { 2 } else { 1 };
        for j in 0..width {
            let mut particle = law.draw(&mut seed.stream("init").at(block as u64).at((j / pair) as u64).open());
            if j % pair == 1 {
                law.mirror(&mut particle);
            }
            slots.place(j, &particle, &mut beta);
        }
    }
    beta
}

/// The law of the particles of this layout.
pub fn law(init: &InitConfig, layout: &Layout) -> Law {
    Law::new(init, layout.particles(0, Role::Head).chain(layout.particles(0, Role::Neuron)))
}

/// Names of the numbers of a particle of this layout, in order: tensor and indices, such as `v_0_1`.
pub fn names(layout: &Layout) -> Vec<String> {
    let roles = [Role::Head, Role::Neuron];
    roles.iter().flat_map(|role| layout.particles(0, *role)).flat_map(|t| t.numbers()).collect()
}

/// A start with shared tensors drawn and all particles zero.
pub fn shared(layout: &Layout, seed: Seed) -> Vec<f64> {
    let mut beta = vec![0.0; layout.len];
    for (i, t) in layout.tensors.iter().enumerate().filter(|(_, t)| t.role == Role::Shared) {
        start_shared(t, seed, i, &mut beta[t.range.clone()]);
    }
    beta
}

/// Where the particles of one block go in the flat vector.
pub struct Slots<'a> {
    tensors: Vec<&'a Tensor>,
}

impl<'a> Slots<'a> {
    /// Those of a block.
    pub fn new(layout: &'a Layout, block: usize) -> Self {
        Slots { tensors: layout.particles(block, Role::Head).chain(layout.particles(block, Role::Neuron)).collect() }
    }

    /// Writes particle `j`: its head where there is head j, its neuron where there is neuron j.
    pub fn place(&self, j: usize, particle: &[f64], beta: &mut [f64]) {
        let mut rest = particle;
        for t in &self.tensors {
            let (own, tail) = rest.split_at(t.particle_len());
            rest = tail;
            if j < t.shape[0] {
                beta[t.particle(j)].copy_from_slice(own);
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::InitialLaw;
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
            let init = InitConfig { law, scale: 1.5, ..Default::default() };
            let (narrow, wide) = (setting(2, 3), setting(6, 4));
            let (a, b) = (draw(&narrow.0, &init, &narrow.1, Seed(1)), draw(&wide.0, &init, &wide.1, Seed(1)));
            for t in &narrow.1.tensors {
                let u = wide.1.find(&t.name).unwrap();
                assert_eq!(a[t.particle(1)], b[u.particle(1)]);
            }
        }
    }

    #[test]
    fn atoms_repeat_and_mirrored_pairs_cancel() {
        let (config, layout) = setting(6, 4);
        let distinct = |init: InitConfig| {
            let beta = draw(&config, &init, &layout, Seed(1));
            let v = layout.find("blocks.1.attention.v").unwrap();
            let mut first: Vec<f64> = (0..6).map(|j| beta[v.particle(j)][0]).collect();
            first.sort_by(f64::total_cmp);
            first.dedup();
            (first.len(), first.iter().sum::<f64>())
        };
        assert!(distinct(InitConfig { atoms: 2, ..Default::default() }).0 <= 2);
        let (count, sum) = distinct(InitConfig { symmetric: true, ..Default::default() });
        assert!(count == 6 && sum.abs() < 1e-15, "{count} {sum}");
    }

    #[test]
    fn every_block_has_the_law_of_its_depth() {
        let (config, layout) = setting(6, 4);
        let plain = draw(&config, &InitConfig::default(), &layout, Seed(1));
        let deep = InitConfig { depth_scale: vec![[0.0, 1.0], [1.0, 3.0]], ..Default::default() };
        let deep = draw(&config, &deep, &layout, Seed(1));
        for t in &layout.tensors {
            let factor = [1.0, 2.0][t.block.unwrap()]; // depths 0 and 1/2
            assert!(t.range.clone().all(|i| (deep[i] - factor * plain[i]).abs() < 1e-15), "{}", t.name);
        }
        assert_eq!(names(&layout)[..4], ["v_0_0", "v_0_1", "v_0_2", "v_1_0"]);
        assert_eq!(names(&layout).len(), 21);
    }

    #[test]
    fn scales_are_as_documented() {
        let (config, layout) = setting(4000, 1);
        let v = layout.find("blocks.0.attention.v").unwrap();
        let mean_square = |beta: &[f64]| beta[v.range.clone()].iter().map(|x| x * x).sum::<f64>() / 4000.0;
        let gaussian = draw(
            &config,
            &InitConfig { law: InitialLaw::Gaussian, scale: 2.0, ..Default::default() },
            &layout,
            Seed(1),
        );
        assert!((mean_square(&gaussian) - 4.0).abs() < 0.1);
        let fan_in =
            draw(&config, &InitConfig { law: InitialLaw::FanIn, scale: 1.0, ..Default::default() }, &layout, Seed(1));
        assert!((mean_square(&fan_in) * 12000.0 / 9.0 - 1.0).abs() < 0.05);
        let ball =
            draw(&config, &InitConfig { law: InitialLaw::Ball, scale: 3.0, ..Default::default() }, &layout, Seed(1));
        let w = layout.find("blocks.0.attention.w").unwrap();
        let radius = |j| [v, w].iter().flat_map(|t| &ball[t.particle(j)]).map(|x| x * x).sum::<f64>().sqrt();
        let largest = (0..4000).map(radius).fold(0.0, f64::max);
        assert!(largest <= 3.0 && largest > 2.9);
    }
}
