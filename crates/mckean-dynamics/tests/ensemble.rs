//! Members of an ensemble end exactly where they end alone.

mod common;

use common::problem;
use mckean_dynamics::config::{Kind, Rule, Scheme};
use mckean_dynamics::{DynamicsConfig, Ensemble, Evolution, Outcome, build};
use mckean_model::ModelConfig;
use mckean_num::par::Par;
use mckean_num::rng::Seed;

/// Flows and descents of several seeds; the last one diverges at once.
fn members() -> Vec<Box<dyn Evolution>> {
    let p = problem(&ModelConfig { depth: 2, heads: 2, neurons: 3, ..Default::default() }, 10, 1);
    let flow = |integrator, step| DynamicsConfig { integrator, step, ..Default::default() };
    let descent = DynamicsConfig { kind: Kind::Descent, optimizer: Rule::Adam, batch: 4, ..Default::default() };
    let mut all = vec![];
    for seed in 0..4 {
        for c in [&flow(Scheme::Adaptive, 0.1), &descent] {
            all.push(build(c, &p.net, &p.data, &p.start, Seed(seed), &Par::serial()).unwrap());
        }
    }
    let far: Vec<f64> = p.start.iter().map(|b| 1e200 * b).collect();
    all.push(build(&flow(Scheme::Euler, 0.1), &p.net, &p.data, &far, Seed(0), &Par::serial()).unwrap());
    all
}

#[test]
fn members_end_where_they_end_alone() {
    let mut alone = members();
    let outcomes: Vec<Outcome> = alone.iter_mut().map(|e| e.advance(2.0)).collect();
    assert!(matches!(outcomes[8], Outcome::Diverged { .. }) && outcomes[..8].iter().all(|o| *o == Outcome::Finished));
    for threads in [1, 2, 3] {
        let mut together = Ensemble::new(members(), Par::new(threads));
        together.advance(1.0);
        let ended = together.advance(2.0);
        assert!(ended.iter().zip(&outcomes).all(|(a, b)| a.name() == b.name()), "{ended:?}");
        for (k, (a, b)) in together.members().zip(&alone).enumerate().filter(|(k, _)| k % 2 == 1) {
            assert_eq!(a.parameters(), b.parameters(), "descent {k} on {threads} threads");
        }
        let seen = together.measure();
        assert_eq!((seen.len(), seen[1].tau), (9, 2.0));
    }
    let mut stages = members();
    let mut together = Ensemble::new(members(), Par::new(2));
    for until in [1.0, 2.0] {
        stages.iter_mut().for_each(|e| {
            e.advance(until);
        });
        together.advance(until);
    }
    for (a, b) in together.members().zip(&stages).take(8) {
        assert_eq!(a.parameters(), b.parameters());
    }
}
