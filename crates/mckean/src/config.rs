//! A whole configuration: sections, overrides, unknown keys, hash.
//!
//! Maths: none.
//! Shapes: one struct a section, each defined by the crate it configures.
//! Cost: a millisecond.
//! Checked: tests below, `tests/bad_input.rs`.

mod overrides;
mod sections;
mod words;

pub use sections::{LimitConfig, ObserveConfig, SweepConfig};

use crate::error::Error;
use crate::gap::GapConfig;
use crate::rates::RatesConfig;
use crate::stationary::StationaryConfig;
use mckean_data::DataConfig;
use mckean_dynamics::DynamicsConfig;
use mckean_dynamics::config::Kind;
use mckean_model::{InitConfig, ModelConfig};
use overrides::{apply, insert, refuse_unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Everything that defines a run; threads and output folders do not belong here because results do not depend on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the run, used for its folder and report.
    pub name: String,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// Data.
    pub data: DataConfig,
    /// Transformer.
    pub model: ModelConfig,
    /// Initial law of the particles.
    pub init: InitConfig,
    /// Training.
    pub dynamics: DynamicsConfig,
    /// Observation.
    pub observe: ObserveConfig,
    /// Mean-field limit.
    pub limit: LimitConfig,
    /// One network against the limit.
    pub gap: GapConfig,
    /// Exponents of the gap to the limit.
    pub rates: RatesConfig,
    /// The risk at stationarity against the weight decay.
    pub stationary: StationaryConfig,
    /// Grid of runs.
    pub sweep: SweepConfig,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            name: "run".into(),
            seed: 1,
            data: DataConfig::default(),
            model: ModelConfig::default(),
            init: InitConfig::default(),
            dynamics: DynamicsConfig::default(),
            observe: ObserveConfig::default(),
            limit: LimitConfig::default(),
            gap: GapConfig::default(),
            rates: RatesConfig::default(),
            stationary: StationaryConfig::default(),
            sweep: SweepConfig::default(),
        }
    }
}

impl Config {
    /// Reads a file and applies `key=value` overrides.
    ///
    /// # Errors
    /// Unreadable file, bad TOML, unknown keys, wrong types.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Config, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::unreadable(path, &e))?;
        Config::parse(&text, &path.display().to_string(), overrides)
    }

    /// What the user wrote: the file, with overrides as comments.
    pub fn source(path: &Path, overrides: &[String]) -> String {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        overrides.iter().fold(text, |t, o| format!("{t}# --set {o}\n"))
    }

    /// Parses TOML text; `source_name` appears in errors.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, source_name: &str, overrides: &[String]) -> Result<Config, Error> {
        let syntax = |e: toml::de::Error| Error::Syntax {
            source_name: source_name.into(),
            problem: words::plain(e.to_string().trim()),
        };
        let mut table: toml::Table = text.parse().map_err(syntax)?;
        refuse_unknown(&table, source_name)?;
        if overrides.is_empty() {
            return toml::from_str(text).map_err(syntax);
        }
        for set in overrides {
            apply(&mut table, set)?;
        }
        table.try_into().map_err(|e: toml::de::Error| Error::Syntax {
            source_name: format!("{source_name} with --set"),
            problem: words::plain(e.to_string().trim()),
        })
    }

    /// This config with `key` set to a JSON value (cells of a sweep).
    ///
    /// # Errors
    /// Unknown key or wrong type.
    pub fn with(&self, key: &str, value: &serde_json::Value) -> Result<Config, Error> {
        let source_name = "[sweep.grid]";
        let problem = |e: String| Error::Syntax { source_name: source_name.into(), problem: e };
        let mut table = toml::Table::try_from(self).map_err(|e| problem(e.to_string()))?;
        let value = toml::Value::try_from(value).map_err(|e| problem(format!("\"{key}\": {e}")))?;
        insert(&mut table, key, value, source_name)?;
        table
            .try_into()
            .map_err(|e: toml::de::Error| problem(format!("\"{key}\": {}", words::plain(e.to_string().trim()))))
    }

    /// This config as a single run: its `[sweep]`, `[gap]`, `[rates]` and `[stationary]` sections at the default.
    pub fn without_sweep(&self) -> Config {
        let (gap, rates, stationary) = (GapConfig::default(), RatesConfig::default(), StationaryConfig::default());
        Config { sweep: SweepConfig::default(), gap, rates, stationary, ..self.clone() }
    }

    /// This config as far as its limit depends on it: one run, with the sizes of networks at their defaults.
    pub fn without_sizes(&self) -> Config {
        let ModelConfig { depth, heads, neurons, .. } = ModelConfig::default();
        Config { model: ModelConfig { depth, heads, neurons, ..self.model.clone() }, ..self.without_sweep() }
    }

    /// All keys written out.
    pub fn resolved(&self) -> String {
        toml::to_string(self).unwrap_or_else(|e| format!("# cannot be written as TOML: {e}\n"))
    }

    /// Eight hexadecimal digits that identify the resolved config.
    pub fn hash(&self) -> String {
        mckean_report::run_dir::config_hash(&self.resolved())
    }

    /// Checks what no other section checks: the name, the seed, the observation times.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), Error> {
        let o = &self.observe;
        let one = |key: &str, value: String, ok: bool, problem: &str| match ok {
            true => Ok(()),
            false => Err(Error::Value { key: key.into(), value, problem: problem.into() }),
        };
        let folder = !self.name.is_empty() && self.name.len() <= 100 && !self.name.starts_with('.');
        let plain = self.name.chars().all(|c| !c.is_control() && c != '/' && c != '\\');
        let problem = "it names a folder: 1 to 100 bytes without slashes, not starting with a dot. Choose another.";
        one("name", format!("{:?}", self.name), folder && plain, problem)?;
        one("seed", self.seed.to_string(), self.seed <= i64::MAX as u64, "at most 2^63 - 1 is possible.")?;
        for (key, x) in [("observe.every", o.every), ("observe.checkpoint_seconds", o.checkpoint_seconds)] {
            one(key, x.to_string(), x.is_finite() && x >= 0.0, "a finite number >= 0 is needed.")?;
        }
        let masks = self.dynamics.kind == Kind::Flow && self.model.dropout > 0.0 && self.model.dropout < 1.0;
        let problem = "a gradient flow follows the risk itself, without random masks. Set it to 0, or train with dynamics.kind = \"descent\".";
        one("model.dropout", self.model.dropout.to_string(), !masks, problem)?;
        let few = self.dynamics.end() <= 1e7 * self.observe_every();
        let problem = "this makes more than 10,000,000 observations. Observe less often, or use 0 for the default.";
        one("observe.every", o.every.to_string(), few, problem)
    }

    /// Training time between observations.
    pub fn observe_every(&self) -> f64 {
        let end = self.dynamics.end();
        match self.dynamics.kind {
            _ if self.observe.every > 0.0 => self.observe.every.min(end),
            Kind::Flow => end / 100.0,
            Kind::Descent => 1f64.min(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_reach_their_key_and_bad_ones_are_named() {
        let set = |s: &str| Config::parse("[model]\ndepth = 3\n", "a.toml", &[s.to_string()]);
        assert_eq!(set("model.heads=64").unwrap().model.heads, 64);
        assert_eq!(set("dynamics.step=1").unwrap().dynamics.step, 1.0);
        assert_eq!(set("name=wide").unwrap().name, "wide");
        assert_eq!(set("sweep.grid.model.heads=[1, 2]").unwrap().sweep.grid["model.heads"].len(), 2);
        assert!(set("sweep.grid.\"model.hedas\"=[1]").unwrap_err().to_string().contains("sweep.grid.model.heads"));
        assert!(set("model.head=4").unwrap_err().to_string().contains("did you mean \"model.heads\""));
        assert!(set("model.heads").unwrap_err().to_string().contains("key=value"));
        assert!(set("model.heads=many").unwrap_err().to_string().contains("heads"));
    }

    #[test]
    fn unknown_keys_and_wrong_types_name_file_and_key() {
        let e = Config::parse("[model]\ndeph = 3\n", "b.toml", &[]).unwrap_err().to_string();
        assert!(e.contains("b.toml") && e.contains("model.deph") && e.contains("model.depth"), "{e}");
        let e = Config::parse("[model]\ndepth = \"six\"\n", "b.toml", &[]).unwrap_err().to_string();
        assert!(e.contains("line 2") && e.contains("depth") && e.contains("expected a whole number >= 0"), "{e}");
        let e = Config::parse("[limits]\nrtol = 1\n", "b.toml", &[]).unwrap_err().to_string();
        assert!(e.contains("did you mean \"limit.rtol\""), "{e}");
        let e = Config::parse("[limits]\n", "b.toml", &[]).unwrap_err().to_string();
        assert!(e.contains("unknown key \"limits\"; did you mean \"limit\""), "{e}");
        for (text, set) in [("rates = 3\n", None), ("", Some("rates=3".to_string()))] {
            let e = Config::parse(text, "b.toml", &set.into_iter().collect::<Vec<_>>()).unwrap_err().to_string();
            assert!(e.contains("rates is a section: write [rates]"), "{e}");
        }
        assert!(Config::parse("[rates]\n[sweep.grid]\n", "b.toml", &[]).is_ok());
        let e = Config::parse("[init]\ndepth_scale = [[0, 1, 2]]\n", "b.toml", &[]).unwrap_err().to_string();
        assert!(e.contains("pairs [t, factor]") && e.contains("3 numbers"), "{e}");
        let two = Config::parse("[init]\ndepth_scale = [[0, 1], [1, 2.5]]\n", "b.toml", &[]).unwrap();
        assert_eq!(two.init.depth_scale, [[0.0, 1.0], [1.0, 2.5]]);
    }

    #[test]
    fn resolved_text_reads_back_and_the_hash_sees_every_key() {
        let c = Config::default();
        assert_eq!(Config::parse(&c.resolved(), "resolved", &[]).unwrap(), c);
        let other = c.with("model.heads", &serde_json::json!(3)).unwrap();
        assert_eq!((other.model.heads, other.hash() == c.hash()), (3, false));
    }
}
