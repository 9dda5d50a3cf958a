//! Balancedness: differences of Gram matrices that the flow only shrinks.
//!
//! Maths: e^(-2 lambda tau) times the initial value of |W2[:,k]|^2 - |W1[k,:]|^2 (ReLU), of W_O^T W_O - W_V W_V^T (any kernel)
//! and of W_K W_K^T - W_Q W_Q^T (kernels that see only q.k); no biases.
//! Shapes: numbers per hidden unit, (s, s) matrices per head.
//! Cost: s^2 D a head.
//! Checked: `tests/observers.rs`.

use super::{Log, Observer, State};
use mckean_engine::Network;
use mckean_model::{Activation, Role};

/// Drift of the balances from their exact exponential decay.
pub struct Balance {
    neurons: bool,
    values_outputs: bool,
    queries_keys: bool,
    initial: Option<Vec<f64>>,
}

/// Relative drift above which the run says that its integration is loose.
const TOLERANCE: f64 = 0.05;

impl Balance {
    /// The balances this network has, if any.
    pub fn new(net: &Network) -> Option<Self> {
        let m = &net.config;
        let factored = m.attention == "qkvo" && !m.bias;
        let queried = factored || (m.attention == "qkv" && !m.bias);
        let neurons = m.feed_forward == "mlp" && m.activation == Activation::Relu && !m.bias;
        let queries_keys = queried && !m.kernel.is_distance();
        (neurons || factored || queries_keys).then_some(Balance {
            neurons,
            values_outputs: factored,
            queries_keys,
            initial: None,
        })
    }

    fn balances(&self, net: &Network, beta: &[f64]) -> Vec<f64> {
        let mut all = vec![];
        for l in 0..net.config.slices() {
            let tensor = |name: &str| net.layout.find(&format!("blocks.{l}.{name}"));
            if let (true, Some(w1), Some(w2)) = (self.neurons, tensor("feed_forward.w1"), tensor("feed_forward.w2")) {
                for j in 0..net.scales(Role::Neuron, l).len() {
                    unit_balances(&beta[w1.particle(j)], &beta[w2.particle(j)], net.config.hidden, &mut all);
                }
            }
            let pairs = [(self.values_outputs, "o", "v"), (self.queries_keys, "k", "q")];
            for (_, a, b) in pairs.into_iter().filter(|p| p.0) {
                let (Some(ta), Some(tb)) = (tensor(&format!("attention.{a}")), tensor(&format!("attention.{b}")))
                else {
                    continue;
                };
                for j in 0..net.scales(Role::Head, l).len() {
                    let (pa, pb) = (&beta[ta.particle(j)], &beta[tb.particle(j)]);
                    gram_difference(pa, a == "o", pb, net.config.head_dim, net.dim, &mut all);
                }
            }
        }
        all
    }
}

/// |W2[:,k]|^2 - |W1[k,:]|^2 of every hidden unit of a particle; w1 (m, D), w2 (D, m).
fn unit_balances(w1: &[f64], w2: &[f64], m: usize, out: &mut Vec<f64>) {
    for k in 0..m {
        let up: f64 = w1[k * w1.len() / m..(k + 1) * w1.len() / m].iter().map(|x| x * x).sum();
        let down: f64 = w2.iter().skip(k).step_by(m).map(|x| x * x).sum();
        out.push(down - up);
    }
}

/// A A^T - B B^T as (s, s) for `b` (s, D) and `a` (s, D), or (D, s) if `transposed`.
fn gram_difference(a: &[f64], transposed: bool, b: &[f64], s: usize, d: usize, out: &mut Vec<f64>) {
    let at = |i: usize, x: usize| if transposed { a[x * s + i] } else { a[i * d + x] };
    for i in 0..s {
        for j in 0..s {
            out.push((0..d).map(|x| at(i, x) * at(j, x) - b[i * d + x] * b[j * d + x]).sum());
        }
    }
}

impl Observer for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn observe(&mut self, s: State<'_>, log: &mut Log) {
        let now = self.balances(s.net, s.beta);
        let initial = self.initial.get_or_insert_with(|| now.clone());
        let decay = (-2.0 * s.lambda * s.now.tau).exp();
        let norm = initial.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        let drift = now.iter().zip(&*initial).map(|(x, x0)| (x - decay * x0).powi(2)).sum::<f64>().sqrt() / norm;
        log.value("balance_drift", drift);
        log.require(self.name(), drift, TOLERANCE, || {
            format!(
                "balancedness drifted by {:.1} % at tau = {:.4}: shorten the step or raise the order",
                100.0 * drift,
                s.now.tau
            )
        });
    }
}
