//! A whole configuration: sections, overrides, unknown keys, hash.
//!
//! Maths: none.
//! Shapes: one struct a section, each defined by the crate it configures.
//! Cost: a millisecond.
//! Checked: tests below, `tests/bad_input.rs`.

mod words;

use crate::error::Error;
use crate::keys;
use crate::rates::RatesConfig;
use crate::stationary::StationaryConfig;
use mckean_data::DataConfig;
use mckean_dynamics::DynamicsConfig;
use mckean_dynamics::config::Kind;
use mckean_dynamics::limit::{Settings, Source, Whiten};
use mckean_model::{InitConfig, ModelConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// `[observe]`: what is written down, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObserveConfig {
    /// Training time (flow) or epochs (descent) between observations; 0 makes 100 of a flow and one an epoch of descent.
    /// Adaptive steps land on these times; fixed steps and descent are seen at their first step at or after them.
    pub every: f64,
    /// Log the exact checks of a flow (energy, kinetic, balance, second moment, forward certificate).
    pub checks: bool,
    /// Evaluate the test set at every observation, if there is one.
    pub test: bool,
    /// Least seconds between checkpoints, which are written at observations; 0 writes one at every observation.
    pub checkpoint_seconds: f64,
    /// Keep the training samples in the run directory (only up to 64 MB).
    pub keep_samples: bool,
}

impl Default for ObserveConfig {
    fn default() -> Self {
        ObserveConfig { every: 0.0, checks: true, test: true, checkpoint_seconds: 10.0, keep_samples: true }
    }
}

/// `[sweep]`: a grid of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SweepConfig {
    /// Number of seeds per cell: seed, seed + 1, ...
    pub seeds: u64,
    /// Values by full key, such as "model.heads" = [1, 2, 4]; the grid is their product.
    pub grid: BTreeMap<String, Vec<serde_json::Value>>,
}

impl Default for SweepConfig {
    fn default() -> Self {
        SweepConfig { seeds: 1, grid: BTreeMap::new() }
    }
}

/// `[limit]`: the mean-field limit with an error bar (`mckean limit`). Widths and depth of `[model]` do not enter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitConfig {
    /// Training times, ascending; empty makes 0 and ten equal steps to dynamics.until.
    pub taus: Vec<f64>,
    /// Error of the risk, relative to max(R, floor), that is asked for on all times (1e-9 to 1).
    pub rtol: f64,
    /// See `rtol`.
    pub floor: f64,
    /// Seconds that may be spent; what would take longer is not begun, and the error bar says what was reached.
    pub budget: f64,
    /// "atoms" (a law of init.atoms, exactly), "rqmc" (scrambled quasi-random particles), "grid" (cells, tokens of
    /// dimension 1), "auto" picks one of the first two.
    pub method: Source,
    /// "rqmc": whether the particles of a slice get the exact mean and covariance of the law, tensor by tensor: "on" (refused where a tensor
    /// has more than 128 numbers), "off", "auto" (the tensors that are small enough; none for loose tolerances).
    pub whiten: Whiten,
    /// Times of `taus` at which the particle law is kept; empty keeps the first and the last.
    pub snapshots: Vec<f64>,
    /// Depths t in [0, 1] at which it is kept (multiples of one fraction 1/n, n up to 32); empty keeps quarters of it, or more where the solver takes more depth steps.
    pub depths: Vec<f64>,
}

impl Default for LimitConfig {
    fn default() -> Self {
        let Settings { taus, rtol, floor, budget, source: method, whiten, snapshots, depths, .. } = Settings::default();
        LimitConfig { taus, rtol, floor, budget, method, whiten, snapshots, depths }
    }
}

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

    /// This config as a single run: its `[sweep]`, `[rates]` and `[stationary]` sections at the default.
    pub fn without_sweep(&self) -> Config {
        let (rates, stationary) = (RatesConfig::default(), StationaryConfig::default());
        Config { sweep: SweepConfig::default(), rates, stationary, ..self.clone() }
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

fn refuse_unknown(table: &toml::Table, source_name: &str) -> Result<(), Error> {
    let (known, sections) = (keys::all(), keys::sections());
    let mut paths = vec![];
    flatten(table, "", &mut paths);
    let is_known = |p: &str, empty: bool| {
        known.iter().any(|k| k.path == p || p.starts_with("sweep.grid")) || (empty && sections.iter().any(|s| s == p))
    };
    match paths.into_iter().find(|(p, empty)| !is_known(p, *empty)) {
        Some((key, true)) => {
            let nearest = keys::nearest_section(&key);
            Err(Error::UnknownKey { source_name: source_name.into(), nearest, key })
        }
        Some((key, false)) => Err(unknown(source_name, key)),
        None => Ok(()),
    }
}

/// Refuses a key nobody knows, or a section given as a value.
fn unknown(source_name: &str, key: String) -> Error {
    let source_name = source_name.into();
    if keys::sections().contains(&key) {
        let problem =
            format!("{key} is a section: write [{key}] and its keys below it, or one of them as {key}.KEY = ...");
        return Error::Syntax { source_name, problem };
    }
    Error::UnknownKey { source_name, nearest: keys::nearest(&key), key }
}

/// Every path below `table`, and whether it is that of an empty section.
fn flatten(table: &toml::Table, prefix: &str, paths: &mut Vec<(String, bool)>) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(t) if path != "sweep.grid" && !t.is_empty() => flatten(t, &path, paths),
            other => paths.push((path, other.is_table())),
        }
    }
}

/// Applies one `key=value`; a value that is not TOML is taken as a string.
fn apply(table: &mut toml::Table, set: &str) -> Result<(), Error> {
    let wrong =
        || Error::Syntax { source_name: "--set".into(), problem: format!("\"{set}\" is not of the form key=value") };
    let (key, value) = set.split_once('=').ok_or_else(wrong)?;
    let (key, value) = (key.trim(), value.trim());
    let parsed = format!("x = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("x"));
    insert(table, key, parsed.unwrap_or_else(|| toml::Value::String(value.into())), "--set")
}

/// Puts a list of values into the grid under the key it varies, with or without quotes around it.
fn insert_grid(table: &mut toml::Table, key: &str, value: toml::Value, source_name: &str) -> Result<(), Error> {
    let key = key.trim_matches('"');
    if !keys::all().iter().any(|k| k.path == key) {
        let nearest = format!("sweep.grid.{}", keys::nearest(key));
        return Err(Error::UnknownKey { source_name: source_name.into(), key: format!("sweep.grid.{key}"), nearest });
    }
    let empty = || toml::Value::Table(toml::Table::new());
    let sweep = table.entry("sweep").or_insert_with(empty).as_table_mut();
    let grid = sweep.and_then(|s| s.entry("grid").or_insert_with(empty).as_table_mut());
    let problem = "\"sweep.grid\" is not a section".to_string();
    grid.ok_or(Error::Syntax { source_name: source_name.into(), problem })?.insert(key.into(), value);
    Ok(())
}

fn insert(table: &mut toml::Table, key: &str, value: toml::Value, source_name: &str) -> Result<(), Error> {
    if let Some(varied) = key.strip_prefix("sweep.grid.") {
        return insert_grid(table, varied, value, source_name);
    }
    if !keys::all().iter().any(|k| k.path == key) {
        return Err(unknown(source_name, key.into()));
    }
    let value = integer_as_number(key, value);
    let (sections, leaf) = key.rsplit_once('.').map_or((None, key), |(s, l)| (Some(s), l));
    let mut place = table;
    for section in sections.into_iter().flat_map(|s| s.split('.')) {
        let entry = place.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let not_table =
            || Error::Syntax { source_name: source_name.into(), problem: format!("\"{section}\" is not a section") };
        place = entry.as_table_mut().ok_or_else(not_table)?;
    }
    place.insert(leaf.into(), value);
    Ok(())
}

/// `1` for a key that holds a number with a point is meant as `1.0`.
fn integer_as_number(key: &str, value: toml::Value) -> toml::Value {
    let number = keys::all().iter().any(|k| k.path == key && k.kind == "number");
    match value {
        toml::Value::Integer(i) if number => toml::Value::Float(i as f64),
        other => other,
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
    }

    #[test]
    fn resolved_text_reads_back_and_the_hash_sees_every_key() {
        let c = Config::default();
        assert_eq!(Config::parse(&c.resolved(), "resolved", &[]).unwrap(), c);
        let other = c.with("model.heads", &serde_json::json!(3)).unwrap();
        assert_eq!((other.model.heads, other.hash() == c.hash()), (3, false));
    }
}
