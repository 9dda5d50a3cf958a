//! Where each tensor lives in the flat parameter vector.
//!
//! Maths: the parameter vector is the particle cloud; particle j is row j of each of its tensors.
//! Shapes: particle tensors are (particles, ...) with the particle axis first; blocks follow each other in depth.
//! Cost: a few dozen entries per block.
//! Checked: tests below.

use std::ops::Range;

/// What a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Head parameters: leading axis is the head.
    Head,
    /// Feed-forward particle parameters: leading axis is the neuron.
    Neuron,
    /// Everything that is not a particle.
    Shared,
}

/// How shared tensors start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// All zero (biases).
    Zero,
    /// All one (gains).
    One,
    /// Gaussian with this standard deviation.
    Gaussian(f64),
}

/// A tensor as an encoder asks for it: name and shape of ONE particle (or of the shared tensor).
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// Last part of the name.
    pub name: &'static str,
    /// Shape without the particle axis.
    pub shape: Vec<usize>,
    /// Inputs summed by this tensor within one particle, for fan-in laws (0: starts at zero whatever the law).
    pub fan_in: usize,
    /// Whether the sum runs over all particles of the sublayer as well (output maps).
    pub sums_particles: bool,
}

impl TensorSpec {
    /// Numbers in one particle.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A named range of the flat vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Full name, such as `blocks.0.attention.v`.
    pub name: String,
    /// Full shape, particle axis first.
    pub shape: Vec<usize>,
    /// Place in the flat vector.
    pub range: Range<usize>,
    /// What it belongs to.
    pub role: Role,
    /// Block index, if inside one.
    pub block: Option<usize>,
    /// As in the spec.
    pub fan_in: usize,
    /// As in the spec.
    pub sums_particles: bool,
    /// How it starts when shared.
    pub start: Start,
}

impl Tensor {
    /// Numbers per particle (the whole tensor if shared).
    pub fn particle_len(&self) -> usize {
        match self.role {
            Role::Shared => self.range.len(),
            _ => self.range.len() / self.shape[0],
        }
    }

    /// Last part of the name, such as `v`.
    pub fn leaf(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// Names of the numbers of one particle, row by row: `v_0_0`, `v_0_1`, ...
    pub fn numbers(&self) -> Vec<String> {
        let start = vec![self.leaf().to_string()];
        let longer = |names: Vec<String>, n: &usize| {
            names.iter().flat_map(|name| (0..*n).map(move |i| format!("{name}_{i}"))).collect()
        };
        self.shape[1..].iter().fold(start, longer)
    }

    /// Range of particle `j`.
    pub fn particle(&self, j: usize) -> Range<usize> {
        let len = self.particle_len();
        self.range.start + j * len..self.range.start + (j + 1) * len
    }
}

/// All tensors of a model in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Tensors, in the order of the flat vector.
    pub tensors: Vec<Tensor>,
    /// Length of the flat vector.
    pub len: usize,
    /// Tensors of every block.
    blocks: Vec<Range<usize>>,
}

impl Layout {
    fn push(&mut self, tensor: Tensor) {
        self.len = tensor.range.end;
        let index = self.tensors.len();
        if let Some(block) = tensor.block {
            while self.blocks.len() <= block {
                self.blocks.push(index..index);
            }
            self.blocks[block].end = index + 1;
        }
        self.tensors.push(tensor);
    }

    /// Appends the tensors of a sublayer of `particles` particles; returns the index of the first.
    pub fn push_particles(
        &mut self,
        block: usize,
        sublayer: &str,
        role: Role,
        particles: usize,
        specs: &[TensorSpec],
    ) -> usize {
        let first = self.tensors.len();
        for s in specs {
            let shape = [&[particles], &s.shape[..]].concat();
            let range = self.len..self.len + particles * s.len();
            let name = format!("blocks.{block}.{sublayer}.{}", s.name);
            let (fan_in, sums_particles) = (s.fan_in, s.sums_particles);
            self.push(Tensor {
                name,
                shape,
                range,
                role,
                block: Some(block),
                fan_in,
                sums_particles,
                start: Start::Zero,
            });
        }
        first
    }

    /// Appends a shared tensor; returns its range.
    pub fn push_shared(&mut self, block: Option<usize>, name: &str, shape: &[usize], start: Start) -> Range<usize> {
        let range = self.len..self.len + shape.iter().product::<usize>();
        let name = block.map_or(name.to_string(), |l| format!("blocks.{l}.{name}"));
        let (role, shape) = (Role::Shared, shape.to_vec());
        self.push(Tensor { name, shape, range: range.clone(), role, block, fan_in: 0, sums_particles: false, start });
        range
    }

    /// The tensor of this name.
    pub fn find(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// Particle tensors of one sublayer (blocks are pushed one after the other).
    pub fn particles(&self, block: usize, role: Role) -> impl Iterator<Item = &Tensor> {
        let own = self.blocks.get(block).cloned().unwrap_or(0..0);
        self.tensors[own].iter().filter(move |t| t.block == Some(block) && t.role == role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_are_rows_and_ranges_tile_the_vector() {
        let mut layout = Layout::default();
        let spec = |name, shape: &[usize]| TensorSpec { name, shape: shape.to_vec(), fan_in: 1, sums_particles: false };
        layout.push_shared(None, "embedding", &[3, 2], Start::Zero);
        layout.push_particles(0, "attention", Role::Head, 5, &[spec("v", &[2, 2]), spec("w", &[2, 2])]);
        let w = layout.find("blocks.0.attention.w").unwrap();
        assert_eq!((w.shape.clone(), w.range.clone(), w.particle(3)), (vec![5, 2, 2], 26..46, 38..42));
        assert_eq!(layout.len, 46);
        assert!(layout.tensors.windows(2).all(|p| p[0].range.end == p[1].range.start));
    }
}
