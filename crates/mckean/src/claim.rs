//! Claims: one statement of a paper, one file, one criterion, measured on this machine.
//!
//! Maths: stated by each claim's file (`claims/*.toml`) and its kind (`claim/*.rs`), with the paper's equation.
//! Shapes: a claim is a config, settings for a quick and a full tier, and what is accepted; a verdict is one row of a table.
//! Cost: quick tiers take seconds, full tiers up to minutes; each file says.
//! Checked: tests below, `tests/claims.rs` (every quick tier; failing claims are reported as failing).

mod accept;
mod adjoint;
mod assumptions;
mod chaos;
mod context;
mod continuity;
mod dissipation;
mod embedded;
mod failure;
mod field;
mod growth;
mod infimum;
mod kinds;
mod lambda;
mod landscape;
mod moment;
mod path;
mod rate;
mod sample;
mod sampled;
mod variation;
mod velocity;
mod width;

use crate::config::Config;
use crate::error::Error;
use mckean_analysis::fit::Estimate;
use mckean_dynamics::Outcome;
use mckean_num::par::Par;
use mckean_report::page::{Block, Section};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

pub use accept::{Accept, Verdict};
pub(crate) use context::Context;
use embedded::EMBEDDED;

/// How thorough a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Seconds.
    Quick,
    /// What the numbers in `records/` rest on.
    Full,
}

/// A claim as its file states it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Name, equal to the file's.
    #[serde(skip)]
    pub id: String,
    /// Where it stands: paper, number of the statement.
    pub source: String,
    /// The statement in a sentence.
    pub statement: String,
    /// What is measured, in words.
    pub measures: String,
    /// What is checked instead or besides, where the paper errs or leaves something open.
    #[serde(default)]
    pub note: String,
    /// How it is measured: a name of the registry in `claim/kinds.rs`.
    pub kind: String,
    /// What counts as holding.
    pub accept: Accept,
    /// The problem.
    pub config: toml::Table,
    /// Numbers of the quick tier, read by the kind.
    #[serde(default)]
    pub quick: toml::Table,
    /// Numbers of the full tier.
    #[serde(default)]
    pub full: toml::Table,
}

impl Found {
    /// Nothing could be measured, and why.
    fn not_testable(why: impl Into<String>) -> Found {
        Found { not_testable: Some(why.into()), ..Default::default() }
    }

    /// A flow did not get to its end.
    fn early(flow: &str, outcome: Outcome) -> Found {
        Found::not_testable(format!("{flow} ended early: {}. {}", outcome.name(), outcome.advice()))
    }
}

/// What a kind found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The number that is judged.
    pub value: f64,
    /// Its 95 % interval, where chance plays a part.
    pub interval: Option<(f64, f64)>,
    /// Exponent in delta of the quantiles over seeds, where it was measured (Theorem 3.1 allows 1/2).
    pub tail: Option<Estimate>,
    /// What else was seen, in a sentence.
    pub words: String,
    /// Why nothing could be measured.
    pub not_testable: Option<String>,
}

/// One row of the table of claims.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Claim.
    pub id: String,
    /// Source.
    pub source: String,
    /// Statement.
    pub statement: String,
    /// What was measured.
    pub measures: String,
    /// The number; absent when nothing could be measured.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// What is accepted, in words.
    pub accepted: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What else was seen.
    pub words: String,
    /// What was checked instead, where the paper errs.
    pub note: String,
    /// Seconds it took.
    pub seconds: f64,
}

/// Names of the claims that come with the program.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// The claims `wanted` names: one by its name, all whose names begin with it, or one in a file.
///
/// # Errors
/// A name that is none (with the nearest), a file that cannot be read or is no claim.
pub fn find(wanted: &str) -> Result<Vec<Claim>, Error> {
    if wanted.ends_with(".toml") {
        let path = Path::new(wanted);
        let text = std::fs::read_to_string(path).map_err(|e| Error::unreadable(path, &e))?;
        let id = path.file_stem().map_or(wanted.into(), |s| s.to_string_lossy().into_owned());
        return Ok(vec![parse(&id, &text)?]);
    }
    let own = EMBEDDED.iter().filter(|(name, _)| name.starts_with(wanted));
    let found = own.map(|(name, text)| parse(name, text)).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() || wanted.is_empty() {
        let nearest = names().min_by_key(|n| strsim::damerau_levenshtein(n, wanted)).unwrap_or_default();
        let known = names().collect::<Vec<_>>().join(", ");
        let problem =
            format!("no claim of that name. Did you mean \"{nearest}\"? Known: {known}; or a claim's .toml file");
        return Err(Error::Value { key: "claim".into(), value: format!("\"{wanted}\""), problem });
    }
    Ok(found)
}

/// Reads a claim; its kind and its config must be known.
fn parse(id: &str, text: &str) -> Result<Claim, Error> {
    let syntax = |problem: String| Error::Syntax { source_name: format!("{id}.toml"), problem };
    let mut claim: Claim = toml::from_str(text).map_err(|e| syntax(e.to_string().trim().into()))?;
    claim.id = id.into();
    kinds::find(&claim.kind).map_err(syntax)?;
    claim.problem(&[])?;
    Ok(claim)
}

impl Claim {
    /// The problem's config with `key=value` overrides.
    pub(crate) fn problem(&self, sets: &[String]) -> Result<Config, Error> {
        Config::parse(&self.config.to_string(), &format!("{}.toml [config]", self.id), sets)
    }

    /// Measures the claim and judges it.
    ///
    /// # Errors
    /// Anything wrong with the claim's config.
    pub fn verify(&self, tier: Tier, par: &Par) -> Result<Row, Error> {
        let begun = Instant::now();
        let kind =
            kinds::find(&self.kind).map_err(|problem| Error::Syntax { source_name: self.id.clone(), problem })?;
        let numbers = if tier == Tier::Quick { &self.quick } else { &self.full };
        let found = kind(&Context { claim: self, numbers, par })?;
        let verdict = self.accept.verdict(&found);
        let no_number =
            if found.value.is_nan() { "a measured number is not finite; ".to_string() } else { String::new() };
        let value = Some(found.value).filter(|x| found.not_testable.is_none() && !x.is_nan());
        Ok(Row {
            id: self.id.clone(),
            source: self.source.clone(),
            statement: self.statement.clone(),
            measures: self.measures.clone(),
            value,
            interval: found.interval,
            accepted: self.accept.words(),
            verdict,
            words: found.not_testable.unwrap_or(no_number + &found.words),
            note: self.note.clone(),
            seconds: begun.elapsed().as_secs_f64(),
        })
    }
}

/// Header and rows: claim, what was measured, interval, what is accepted, verdict, seconds.
pub fn table(rows: &[Row]) -> (Vec<String>, Vec<Vec<String>>) {
    let header = ["claim", "measured", "95 % interval", "accepted", "verdict", "seconds"].map(String::from).to_vec();
    let number = crate::report::short;
    let row = |r: &Row| {
        let interval = r.interval.map_or("-".into(), |(a, b)| format!("[{}, {}]", number(a), number(b)));
        let value = r.value.map_or("-".into(), number);
        vec![r.id.clone(), value, interval, r.accepted.clone(), r.verdict.words().into(), format!("{:.1}", r.seconds)]
    };
    (header, rows.iter().map(row).collect())
}

/// How many hold, of how many.
pub fn holding(rows: &[Row]) -> String {
    format!("{} of {}", rows.iter().filter(|r| r.verdict == Verdict::Holds).count(), rows.len())
}

/// The table of claims as a section of a page, with what each one says and what was checked instead where the paper errs.
pub fn section(rows: &[Row]) -> Section {
    let (header, body) = table(rows);
    let caption =
        "Statements of the paper measured here, quick tier (`mckean verify gao2024 --full` for the full one).".into();
    let sentence = |r: &Row| {
        let note = if r.note.is_empty() { String::new() } else { format!(" Note: {}", r.note) };
        format!("{} ({}): {} Measured: {}; {}.{note}", r.id, r.source, r.statement, r.measures, r.words)
    };
    let rows_of = body.into_iter().map(mckean_report::page::Row::new).collect();
    let list = Block::List(rows.iter().map(sentence).collect());
    Section::new("Claims", vec![Block::Table { caption, header, rows: rows_of }, list])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_claim_reads_and_names_its_source() {
        for name in names() {
            let claim = &find(name).unwrap()[0];
            assert!(claim.source.contains("Gao et al. 2024") && claim.statement.len() > 20, "{name}");
            assert!(!claim.quick.is_empty() && !claim.full.is_empty(), "{name}");
        }
        assert_eq!(find("gao2024").unwrap().len(), EMBEDDED.len());
    }

    #[test]
    fn unknown_names_kinds_and_keys_are_refused() {
        let text = find("gao2024-eq2.9-velocity").unwrap_err().to_string();
        assert!(text.contains("Did you mean \"gao2024-eq2.8-velocity\""), "{text}");
        let good = EMBEDDED[0].1;
        let kind = parse("x", &good.replace("kind = \"velocity\"", "kind = \"velocty\"")).unwrap_err().to_string();
        assert!(kind.contains("velocity"), "{kind}");
        let key = parse("x", &good.replace("depth =", "depht =")).unwrap_err().to_string();
        assert!(key.contains("did you mean \"model.depth\""), "{key}");
    }
}
