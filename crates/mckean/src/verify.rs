//! Is this build numerically right on this machine? Every check computes something two ways and compares.
//!
//! Maths: derivatives against dual numbers and differences, measured orders, identities of the flow, equal bits.
//! Shapes: a flat list of checks in four groups, each a measured number against its limit.
//! Cost: all checks take a few seconds on two cores in a release build.
//! Checked: tests below: everything passes, failures and errors are reported as failed checks.

mod derivatives;
mod identities;
mod orders;
mod problem;
mod reproducibility;
mod settings;

use mckean_num::par::Par;
use serde::Serialize;

/// One comparison and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// "derivatives", "orders", "identities" or "reproducibility".
    pub group: &'static str,
    /// What was checked.
    pub name: String,
    /// What was compared with what.
    pub what: String,
    /// The gap that was found; not a number when the check could not run.
    pub measured: f64,
    /// The largest gap that passes.
    pub limit: f64,
    /// Whether the gap lies within the limit.
    pub passed: bool,
}

/// Runs every check on `par`; `progress` hears the group and name of each check before it starts.
pub fn run(par: &Par, progress: &mut dyn FnMut(&str)) -> Vec<Check> {
    let mut suite = Suite { par, progress, group: "", checks: vec![] };
    suite.group("derivatives", derivatives::all);
    suite.group("orders", orders::all);
    suite.group("identities", identities::all);
    suite.group("reproducibility", reproducibility::all);
    suite.checks
}

type Fault = Box<dyn std::error::Error>;

/// A gap and the words for what it lies between.
type Finding = Result<(f64, String), Fault>;

/// The checks made so far.
struct Suite<'a> {
    par: &'a Par,
    progress: &'a mut dyn FnMut(&str),
    group: &'static str,
    checks: Vec<Check>,
}

impl Suite<'_> {
    fn group(&mut self, name: &'static str, checks: fn(&mut Self)) {
        self.group = name;
        checks(self);
    }

    /// Measures one gap; `what` says between what.
    fn check(&mut self, name: impl Into<String>, what: &str, limit: f64, gap: impl FnOnce(&Par) -> Result<f64, Fault>) {
        self.finding(name, limit, |par| Ok((gap(par)?, what.into())));
    }

    /// As [`Suite::check`] when the words depend on what is found.
    fn finding(&mut self, name: impl Into<String>, limit: f64, find: impl FnOnce(&Par) -> Finding) {
        let (group, name) = (self.group, name.into());
        (self.progress)(&format!("{group}: {name}"));
        let (measured, what) = find(self.par).unwrap_or_else(|e| (f64::NAN, format!("could not run: {e}")));
        self.checks.push(Check { group, name, what, measured, limit, passed: measured <= limit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_passes_and_is_announced() {
        let mut heard = vec![];
        let checks = run(&Par::new(2), &mut |line| heard.push(line.to_string()));
        let failed: Vec<_> = checks.iter().filter(|c| !c.passed).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(heard.len(), checks.len());
        heard.sort();
        heard.dedup();
        assert_eq!(heard.len(), checks.len(), "names are unique");
        for group in ["derivatives", "orders", "identities", "reproducibility"] {
            assert!(checks.iter().filter(|c| c.group == group).count() >= 4, "{group}");
        }
    }

    #[test]
    fn missing_numbers_are_never_forgotten() {
        use problem::largest_gap;
        assert!(largest_gap(&[1.0, f64::NAN, 3.0], &[0.0; 3]).is_nan());
    }

    #[test]
    fn large_gaps_missing_numbers_and_errors_fail() {
        let mut suite = Suite { par: &Par::serial(), progress: &mut |_| (), group: "orders", checks: vec![] };
        suite.check("large", "one and two", 0.5, |_| Ok(1.0));
        suite.check("missing", "nothing", 0.5, |_| Ok(f64::NAN));
        suite.check("broken", "nothing", 0.5, |_| Err("no network".into()));
        suite.check("small", "one and one", 0.0, |_| Ok(0.0));
        let passed: Vec<bool> = suite.checks.iter().map(|c| c.passed).collect();
        assert_eq!(passed, [false, false, false, true]);
        assert_eq!(suite.checks[2].what, "could not run: no network");
    }
}
