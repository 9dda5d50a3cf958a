//! Certificates: numbers from one state of a network that say what theory promises about it.
//!
//! Maths: Gao et al. 2024, section 4 and appendices E, F; corrected and derived forms are marked in each module.
//! Shapes: a view is a network, its samples, its parameters and one trace of them.
//! Cost: one trace; each module adds its own.
//! Checked: tests of each module, `tests/failures.rs`.

pub mod adjoint;
pub mod conditions;
pub mod coverage;
pub mod descent;
pub mod gap;
pub mod kernel;
pub mod probe;
pub mod stationarity;

use crate::error::AnalysisError;
use mckean_data::Dataset;
use mckean_engine::{Maps, Network, Trace};
use nalgebra::DMatrix;
use std::sync::Arc;

/// A network at given parameters, looked at once.
pub struct View {
    /// Its sublayers, one by one.
    pub maps: Maps,
    /// The samples.
    pub data: Arc<Dataset>,
    /// Parameters.
    pub theta: Vec<f64>,
    /// Weight decay.
    pub lambda: f64,
    /// States and adjoints.
    pub trace: Trace,
}

impl View {
    /// Takes the trace.
    ///
    /// # Errors
    /// Networks whose sublayers are no plain averages of particles.
    pub fn new(net: Arc<Network>, data: Arc<Dataset>, theta: Vec<f64>, lambda: f64) -> Result<View, AnalysisError> {
        let maps = Maps::new(net)?;
        let trace = maps.trace(&theta, &data);
        Ok(View { maps, data, theta, lambda, trace })
    }

    /// Refuses states from which nothing can be concluded; decompositions of them would not end.
    ///
    /// # Errors
    /// States or adjoints that are not finite or have no finite sum of squares; a risk that is not finite.
    pub fn check(&self) -> Result<(), AnalysisError> {
        let finite = |all: &[Vec<f64>]| all.iter().all(|x| probe::square(x).is_finite());
        if finite(&self.trace.states) && finite(&self.trace.adjoints) && self.trace.risk().is_finite() {
            return Ok(());
        }
        Err(AnalysisError::NotTestable("squares of states, adjoints or residuals are not finite".into()))
    }

    /// The network.
    pub fn net(&self) -> &Network {
        self.maps.network()
    }

    /// Depth t of the state in front of sublayer `k`.
    pub fn depth(&self, k: usize) -> f64 {
        k as f64 / self.net().sublayers.len() as f64
    }
}

/// Largest singular value; NaN when an entry is not finite, where the decomposition would not end.
pub(crate) fn operator_norm(m: &DMatrix<f64>) -> f64 {
    if m.iter().all(|x| x.is_finite()) { m.singular_values().max() } else { f64::NAN }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use mckean_data::Targets;
    use mckean_engine::DataShape;
    use mckean_model::ModelConfig;
    use mckean_num::rng::Seed;

    /// Random regression samples of 3 tokens in dimension 3.
    pub fn data(samples: usize) -> Arc<Dataset> {
        let mut g = Seed(2).stream("certificate.test").open();
        let inputs = (0..samples * 9).map(|_| 0.8 * g.normal()).collect();
        let targets = Targets::Values { data: (0..samples).map(|_| g.normal()).collect(), outputs: 1 };
        Arc::new(Dataset { name: "random".into(), samples, tokens: 3, dim: 3, inputs, targets })
    }

    /// A small theory model.
    pub fn small() -> ModelConfig {
        ModelConfig { depth: 2, heads: 3, neurons: 4, ..Default::default() }
    }

    /// A view of `config` at random parameters of size `scale`.
    pub fn view(config: &ModelConfig, samples: usize, scale: f64, lambda: f64) -> View {
        let data = data(samples);
        let shape = DataShape { tokens: 3, dim: 3, outputs: 1, vocabulary: 0 };
        let net = Arc::new(Network::new(config, shape).unwrap());
        let mut g = Seed(3).stream("certificate.test").open();
        let theta = (0..net.parameters()).map(|_| scale * g.normal()).collect();
        View::new(net, data, theta, lambda).unwrap()
    }

    #[test]
    fn states_that_are_not_finite_are_told_and_no_decomposition_is_tried() {
        assert!(view(&small(), 2, 0.5, 0.1).check().is_ok());
        let huge = view(&small(), 2, 1e20, 0.1);
        assert!(huge.check().unwrap_err().to_string().contains("not finite"));
        let mut m = DMatrix::from_fn(4, 4, |i, j| (i * j) as f64);
        assert!((operator_norm(&m) - 14.0).abs() < 1e-12);
        for odd in [f64::NAN, f64::INFINITY] {
            m[(1, 2)] = odd;
            assert!(operator_norm(&m).is_nan());
        }
    }
}
