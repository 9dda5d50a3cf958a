//! A small problem shared by the tests of this crate.
#![allow(dead_code)]

use mckean_data::{Dataset, Targets};
use mckean_dynamics::observe::{Log, Observer};
use mckean_dynamics::{DynamicsConfig, Evolution, State, build};
use mckean_engine::{DataShape, Network};
use mckean_model::{InitConfig, ModelConfig, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

pub struct Problem {
    pub net: Arc<Network>,
    pub data: Arc<Dataset>,
    pub start: Vec<f64>,
}

pub fn problem(m: &ModelConfig, samples: usize, classes: usize) -> Problem {
    let mut g = Seed(2).stream("test").open();
    let inputs = (0..samples * 12).map(|_| 0.8 * g.normal()).collect();
    let targets = if classes > 1 {
        Targets::Classes { labels: (0..samples).map(|_| g.below(classes) as u32).collect(), classes }
    } else {
        Targets::Values { data: (0..samples).map(|_| g.normal()).collect(), outputs: 1 }
    };
    let data = Arc::new(Dataset { name: "random".into(), samples, tokens: 3, dim: 4, inputs, targets });
    let net = Arc::new(Network::new(m, DataShape { tokens: 3, dim: 4, outputs: classes, vocabulary: 0 }).unwrap());
    let start = init::draw(m, &InitConfig { scale: 2.0, ..Default::default() }, &net.layout, Seed(4));
    Problem { net, data, start }
}

impl Problem {
    pub fn evolution(&self, c: &DynamicsConfig) -> Box<dyn Evolution> {
        build(c, &self.net, &self.data, &self.start, Seed(1), &Par::serial()).unwrap()
    }

    pub fn data_norm(&self) -> f64 {
        self.data.inputs.chunks(4).map(|t| t.iter().map(|x| x * x).sum::<f64>().sqrt()).fold(0.0, f64::max)
    }

    pub fn look(&self, e: &mut dyn Evolution, lambda: f64, observers: &mut [Box<dyn Observer>]) -> Log {
        let (beta, speeds, mut log) = (e.parameters(), self.net.speeds(), Log::default());
        let now = e.measure();
        for o in observers {
            let s = State { net: &self.net, beta: &beta, speeds: &speeds, lambda, now, data_norm: self.data_norm() };
            o.observe(s, &mut log);
        }
        log
    }
}
