//! Forward certificate: how large a token can be at depth 1.
//!
//! Maths: |T(1)|_{2-col} <= B exp(sum over sublayers and particles of scale (|V| or |W1||W2|)), B the largest data token;
//! operator norms are bounded by min(Frobenius, sqrt(|A|_1 |A|_inf)). Needs rows of the attention matrix that sum to one.
//! Shapes: scalars.
//! Cost: linear in the parameters.
//! Checked: `tests/observers.rs`.

use super::{Log, Observer, State};
use mckean_engine::Network;
use mckean_model::config::{Embedding, Norm};
use mckean_model::{Role, Tensor};

/// Largest token norm against its certificate.
pub struct ForwardCertificate;

impl ForwardCertificate {
    /// Whether the bound is a theorem for this network: theory settings with normalised attention.
    pub fn applies(net: &Network) -> bool {
        let m = &net.config;
        let plain = m.embedding == Embedding::None && m.norm == Norm::None && !m.bias && !m.positions && !m.class_token;
        plain && (m.attention == "none" || m.kernel.is_normalised())
    }
}

impl Observer for ForwardCertificate {
    fn name(&self) -> &'static str {
        "forward_certificate"
    }

    fn observe(&mut self, s: State<'_>, log: &mut Log) {
        let bound = s.data_norm * exponent(s.net, s.beta).exp();
        log.value("token_norm", s.now.token_norm);
        log.value("token_norm_bound", bound);
        log.require(self.name(), s.now.token_norm, bound * (1.0 + 1e-6), || {
            format!("token norm {:.4} exceeds its certificate {bound:.4} at tau = {:.4}", s.now.token_norm, s.now.tau)
        });
    }
}

/// Sum over sublayers and particles of scale times the bound of the encoder's linear growth.
fn exponent(net: &Network, beta: &[f64]) -> f64 {
    let mut sum = 0.0;
    for block in 0..net.config.slices() {
        for role in [Role::Head, Role::Neuron] {
            let tensors: Vec<&Tensor> = net.layout.particles(block, role).collect();
            let outer = |t: &&&Tensor| !matches!(last(t), "w" | "q" | "k"); // logits do not enlarge tokens
            for (j, scale) in net.scales(role, block).iter().enumerate().take(tensors.first().map_or(0, |t| t.shape[0]))
            {
                let growth: f64 = tensors
                    .iter()
                    .filter(outer)
                    .map(|t| norm_bound(&beta[t.particle(j)], *t.shape.last().unwrap_or(&1)))
                    .product();
                sum += scale * growth;
            }
        }
    }
    sum
}

fn last(t: &Tensor) -> &str {
    t.name.rsplit('.').next().unwrap_or("")
}

/// An upper bound of the operator norm of a row-major matrix with `columns` columns.
fn norm_bound(a: &[f64], columns: usize) -> f64 {
    let frobenius = a.iter().map(|x| x * x).sum::<f64>().sqrt();
    let rows = a.chunks(columns).map(|r| r.iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    let column = |j: usize| a.iter().skip(j).step_by(columns).map(|x| x.abs()).sum::<f64>();
    let columns = (0..columns).map(column).fold(0.0, f64::max);
    frobenius.min((rows * columns).sqrt())
}

#[cfg(test)]
mod tests {
    use super::norm_bound;

    #[test]
    fn bounds_known_operator_norms() {
        assert!((norm_bound(&[3.0, 0.0, 0.0, 2.0], 2) - 3.0).abs() < 1e-15);
        assert!((norm_bound(&[1.0, 1.0, 1.0, 1.0], 2) - 2.0).abs() < 1e-15);
        assert!((norm_bound(&[1.0, 2.0, 3.0], 1) - 14f64.sqrt()).abs() < 1e-15);
    }
}
