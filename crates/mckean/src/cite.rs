//! What a run must cite: the bibliography of the project and which of its entries a config uses.
//!
//! Maths: none; each key stands for the paper that a formula of the code names.
//! Shapes: BibTeX entries as text, in the order of `REFERENCES.bib`.
//! Cost: one pass over a few kilobytes.
//! Checked: tests below: braces balance, every key exists, unknown keys are answered with the nearest one.

use mckean_dynamics::DynamicsConfig;
use mckean_dynamics::config::{Kind, Rule, Scheme};
use mckean_model::config::{Embedding, Norm};
use mckean_model::{Activation, ModelConfig, Parametrisation};
use mckean_report::{ReportError, RunDir};
use std::path::Path;

/// The whole bibliography as BibTeX.
pub const BIBLIOGRAPHY: &str = include_str!("../../../REFERENCES.bib");

/// A key that the bibliography does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no reference is called \"{key}\"; did you mean \"{nearest}\"? Known: {known}")]
pub struct UnknownKey {
    /// Key as asked for.
    pub key: String,
    /// The known key that is spelled most like it.
    pub nearest: String,
    /// All known keys.
    pub known: String,
}

/// Every key with its entry.
pub fn all() -> Vec<(String, String)> {
    let key = |entry: &str| entry.split(['{', ',']).nth(1).unwrap_or_default().trim().to_string();
    let entries = BIBLIOGRAPHY.split("\n@").skip(1).map(|e| format!("@{}", e.trim_end()));
    entries.map(|e| (key(&e), e)).collect()
}

/// The entries of these keys in this order, a repeated key once, with empty lines between them.
///
/// # Errors
/// The first key that the bibliography does not have.
pub fn entries(keys: &[&str]) -> Result<String, UnknownKey> {
    let (all, mut found) = (all(), Vec::<&str>::new());
    for &key in keys {
        let (_, entry) = all.iter().find(|(k, _)| k == key).ok_or_else(|| unknown(key, &all))?;
        if !found.contains(&entry.as_str()) {
            found.push(entry);
        }
    }
    Ok(found.join("\n\n"))
}

fn unknown(key: &str, all: &[(String, String)]) -> UnknownKey {
    let known: Vec<&str> = all.iter().map(|(k, _)| k.as_str()).collect();
    let nearest = known.iter().min_by_key(|k| strsim::damerau_levenshtein(key, k)).copied().unwrap_or_default();
    UnknownKey { key: key.into(), nearest: nearest.into(), known: known.join(", ") }
}

/// Keys that a run directory names, or those of all run directories in a folder (a sweep, a reproduction), each once.
///
/// # Errors
/// Neither the folder nor anything in it is a run directory.
pub fn of_folder(folder: &Path) -> Result<Vec<String>, ReportError> {
    let manifest = |path: &Path| RunDir::open(path).and_then(|d| d.manifest());
    let alone = match manifest(folder) {
        Ok(m) => return Ok(m.citations),
        Err(e) => e,
    };
    let mut inside: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    inside.sort();
    let mut keys: Vec<String> = vec![];
    for key in inside.iter().filter_map(|p| manifest(p).ok()).flat_map(|m| m.citations) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() { Err(alone) } else { Ok(keys) }
}

/// Keys of everything that a run on the data set `data` uses, each once.
pub fn for_run(data: &str, model: &ModelConfig, dynamics: &DynamicsConfig) -> Vec<&'static str> {
    let mut keys = of_model(model);
    keys.extend(of_dynamics(dynamics));
    keys.extend(of_data(data));
    let mut once = Vec::new();
    keys.into_iter().for_each(|k| {
        if !once.contains(&k) {
            once.push(k)
        }
    });
    once
}

/// IDX files count as MNIST, which the format was made for.
fn of_data(name: &str) -> Option<&'static str> {
    match name {
        "digits" => Some("alpaydin1998"),
        "cifar10" => Some("krizhevsky2009"),
        "idx" => Some("lecun1998"),
        "in_context" | "teacher_student" => Some("gao2024"),
        _ => None,
    }
}

fn of_model(m: &ModelConfig) -> Vec<&'static str> {
    let (attention, mlp) = (m.attention != "none", m.feed_forward != "none");
    let distance = attention && m.kernel.is_distance();
    let mean_field = m.parametrisation == Parametrisation::MeanField;
    let uses = [
        (mean_field || mlp && m.activation == Activation::HubRelu || m.attention == "vw", "gao2024"),
        (distance, "song2024"),
        (attention, "vaswani2017"),
        (distance, "chen2021"),
        (m.embedding == Embedding::Patch || m.class_token, "dosovitskiy2021"),
        (m.norm == Norm::Layer, "ba2016"),
        (mlp && m.activation == Activation::Gelu, "hendrycks2016"),
        (m.dropout > 0.0, "srivastava2014"),
    ];
    uses.into_iter().filter(|u| u.0).map(|u| u.1).collect()
}

fn of_dynamics(d: &DynamicsConfig) -> &'static [&'static str] {
    match (d.kind, d.integrator, d.optimizer) {
        (Kind::Flow, Scheme::Euler, _) => &[],
        (Kind::Flow, Scheme::Heun | Scheme::Rk4, _) => &["hairer1993"],
        (Kind::Flow, Scheme::Adaptive, _) => &["hairer1993", "dormand1980", "gustafsson1991"],
        (Kind::Descent, _, Rule::Adam) => &["kingma2015"],
        (Kind::Descent, _, Rule::Adamw) => &["kingma2015", "loshchilov2019"],
        (Kind::Descent, _, Rule::Gd | Rule::Sgd | Rule::Momentum | Rule::Sign) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_model::AttentionKernel;

    fn practical() -> ModelConfig {
        ModelConfig {
            parametrisation: Parametrisation::Sp,
            attention: "qkvo".into(),
            kernel: AttentionKernel::Gaussian,
            embedding: Embedding::Patch,
            norm: Norm::Layer,
            activation: Activation::Gelu,
            dropout: 0.1,
            ..Default::default()
        }
    }

    #[test]
    fn entries_are_complete_and_braces_balance() {
        let all = all();
        assert_eq!(all.len(), BIBLIOGRAPHY.lines().filter(|l| l.starts_with('@')).count());
        for (key, entry) in &all {
            let depth = entry.chars().try_fold(0u32, |d, c| match c {
                '{' => Some(d + 1),
                '}' => d.checked_sub(1),
                _ => Some(d),
            });
            assert_eq!(depth, Some(0), "{key}");
            for field in ["author", "title", "year"] {
                assert!(entry.contains(&format!("\n  {field} ")), "{key} has no {field}");
            }
            assert!(key.ends_with(|c: char| c.is_ascii_digit()) && entry.contains(&key[key.len() - 4..]), "{key}");
            assert_eq!(all.iter().filter(|(k, _)| k == key).count(), 1, "{key} twice");
        }
    }

    #[test]
    fn every_key_of_every_run_exists_and_every_entry_is_used() {
        let mut used = vec![];
        for data in mckean_data::catalogue().iter().map(|c| c.name) {
            for model in [ModelConfig::default(), practical()] {
                for integrator in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::Adaptive] {
                    let flow = DynamicsConfig { integrator, ..Default::default() };
                    used.extend(for_run(data, &model, &flow));
                }
                for optimizer in [Rule::Gd, Rule::Sgd, Rule::Momentum, Rule::Sign, Rule::Adam, Rule::Adamw] {
                    let descent = DynamicsConfig { kind: Kind::Descent, optimizer, ..Default::default() };
                    used.extend(for_run(data, &model, &descent));
                }
            }
        }
        assert!(entries(&used).is_ok());
        assert!(all().iter().all(|(key, _)| used.contains(&key.as_str())));
    }

    #[test]
    fn a_run_cites_what_it_uses_and_no_more() {
        let euler = DynamicsConfig { integrator: Scheme::Euler, ..Default::default() };
        assert_eq!(for_run("in_context", &ModelConfig::default(), &euler), ["gao2024", "vaswani2017"]);
        let adam = DynamicsConfig { kind: Kind::Descent, ..Default::default() };
        let keys = for_run("cifar10", &practical(), &adam);
        let expected = ["song2024", "vaswani2017", "chen2021", "dosovitskiy2021", "ba2016", "hendrycks2016"];
        assert_eq!(keys, [&expected[..], &["srivastava2014", "kingma2015", "krizhevsky2009"]].concat());
    }

    #[test]
    fn unknown_keys_are_answered_with_the_nearest() {
        let error = entries(&["gao2024", "dormnad1980"]).unwrap_err();
        assert_eq!((error.key.as_str(), error.nearest.as_str()), ("dormnad1980", "dormand1980"));
        assert!(error.to_string().contains("did you mean \"dormand1980\"?"));
        assert_eq!(entries(&[]), Ok(String::new()));
        let two = entries(&["gao2024", "song2024", "gao2024"]).unwrap();
        assert!(two.starts_with("@inproceedings{gao2024,") && two.matches("\n@").count() == 1);
    }
}
