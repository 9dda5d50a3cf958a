//! What a `[model]` section must satisfy before it meets data.
//!
//! Maths: none.
//! Shapes: plain values.
//! Cost: none.
//! Checked: tests below.

use super::{ModelConfig, ModelError, Norm, Parametrisation, Readout};
use crate::depth::DepthMethod;

impl ModelConfig {
    /// Checks everything that does not need the data.
    ///
    /// # Errors
    /// Sizes of zero, weights of the wrong number or sign, probabilities outside [0, 1), negative temperature.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [("depth", self.depth), ("heads", self.heads), ("neurons", self.neurons), ("hidden", self.hidden)];
        let more = [("head_dim", self.head_dim), ("embedding_dim", self.embedding_dim)];
        for (key, size) in sizes.into_iter().chain(more) {
            if size == 0 || size > 1 << 24 {
                return Err(ModelError::value(
                    key,
                    size,
                    "sizes lie between 1 and 16,777,216",
                    "Choose a positive size.",
                ));
            }
        }
        check_weights("head_weights", &self.head_weights, self.heads)?;
        check_weights("neuron_weights", &self.neuron_weights, self.neurons)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::value(
                "dropout",
                self.dropout,
                "a probability in [0, 1) is needed",
                "Use 0 for none.",
            ));
        }
        for (key, x) in [("kernel_tau", self.kernel_tau), ("residual_step", self.residual_step)] {
            if !(x.is_finite() && x >= 0.0) {
                return Err(ModelError::value(key, x, "a finite number >= 0 is needed", "Use 0 for the default."));
            }
        }
        self.check_depth_method()?;
        if self.readout == Readout::ClassToken && !self.class_token {
            let problem = "there is no class token to read";
            return Err(ModelError::value("readout", "class_token", problem, "Set model.class_token = true."));
        }
        Ok(())
    }

    /// Depth methods other than the paper's splitting discretise the depth ODE, which has no norms, biases or masks.
    fn check_depth_method(&self) -> Result<(), ModelError> {
        let wrong = [
            (self.parametrisation != Parametrisation::MeanField, "parametrisation other than mean_field"),
            (self.residual_step != 0.0, "residual_step of its own"),
            (self.norm != Norm::None, "norm"),
            (self.bias, "bias"),
            (self.dropout > 0.0, "dropout"),
        ];
        match wrong.iter().find(|(bad, _)| *bad && self.depth_method != DepthMethod::Splitting) {
            None => Ok(()),
            Some((_, what)) => {
                let value = format!("{:?}", self.depth_method).to_lowercase();
                let problem = format!("the depth ODE it solves knows no {what}");
                Err(ModelError::value("depth_method", value, problem, "Leave that out, or use \"splitting\"."))
            }
        }
    }
}

fn check_weights(key: &'static str, weights: &[f64], particles: usize) -> Result<(), ModelError> {
    if weights.is_empty() {
        return Ok(());
    }
    if weights.len() != particles {
        let problem = format!("{} weights for {particles} particles", weights.len());
        return Err(ModelError::value(key, format!("{weights:?}"), problem, "Give one weight per particle or none."));
    }
    if !weights.iter().all(|w| w.is_finite() && *w > 0.0) {
        let problem = "weights must be finite and positive";
        return Err(ModelError::value(
            key,
            format!("{weights:?}"),
            problem,
            "Leave particles out instead of weight 0.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_key_and_remedy() {
        let zero = ModelConfig { heads: 0, ..Default::default() };
        assert!(zero.check().unwrap_err().to_string().contains("model.heads = 0"));
        let weights = ModelConfig { head_weights: vec![1.0; 3], ..Default::default() };
        assert!(weights.check().unwrap_err().to_string().contains("3 weights for 16 particles"));
        let unknown = ModelError::unknown("attention", "qkwo", &["vw", "qkvo", "none"]);
        assert!(unknown.to_string().contains("did you mean \"qkvo\""));
    }
}
