//! What can be certified about a run, or about a config before it runs: assumptions, conditions, predicted and measured rates.
//!
//! Maths: A1-A4, Theorem 4.1 and appendix F of Gao et al. 2024, as `mckean-analysis` checks them; rates from the tangent kernel (derived).
//! Shapes: three tables and two figures over depth; `analysis/certify.json` in the run directory and a section of its page.
//! Cost: seconds: Jacobians, kernels and searches over at most `SAMPLES` samples.
//! Checked: `tests/certify.rs`, `tests/cli.rs` of the command.

mod depths;
mod rates;
mod section;
mod state;

use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::certificate::conditions::{self, Profile};
use mckean_analysis::certificate::kernel::{self, Kernel};
use mckean_analysis::{AnalysisError, Condition, View, assumption};
use mckean_data::Dataset;
use mckean_num::par::Par;
use mckean_report::{ReportError, RunDir};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

pub use depths::Depth;
pub use rates::Rate;
pub use section::{Sheet, sections, word};

/// Samples that certificates look at.
const SAMPLES: usize = 256;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Config or run directory.
    pub subject: String,
    /// Training time of the state that was looked at.
    pub tau: f64,
    /// Samples that were looked at, of how many.
    pub samples: (usize, usize),
    /// A1-A4, clause by clause.
    pub assumptions: Vec<Condition>,
    /// Hypotheses of Theorem 4.1 and what its proof uses.
    pub conditions: Vec<Condition>,
    /// What has one number a depth.
    #[serde(default)]
    pub depths: Vec<Depth>,
    /// Predicted against measured.
    pub rates: Vec<Rate>,
}

/// Certifies a config at its initial state.
///
/// # Errors
/// Anything wrong with the config; networks outside the model of the theorems.
pub fn of_config(config: &Config, subject: &str, par: &Par) -> Result<Certificate, Error> {
    let problem = Problem::new(config)?;
    let start = Looked::new(&problem, problem.start.clone(), par)?;
    let radii = [(0.0, mckean_dynamics::observe::radius(&problem.net, &problem.start))];
    let rates = rates::at_start(&problem, &start, par)?;
    Ok(certificate(subject, 0.0, &problem, &start, &radii, rates, par))
}

/// Certifies the end of a finished run and writes `analysis/certify.json` and the page.
///
/// # Errors
/// A folder that is no run, an unfinished run, a run without finite parameters; networks outside the model of the theorems.
pub fn of_run(path: &Path, par: &Par) -> Result<Certificate, Error> {
    let dir = RunDir::open(path)?;
    let run = state::read(&dir)?;
    let _lock = dir.lock()?;
    let start = Looked::new(&run.problem, run.problem.start.clone(), par)?;
    let end = Looked::new(&run.problem, run.end.clone(), par)?;
    let rates = rates::of_run(&run, &start, &end, par)?;
    let subject = path.display().to_string();
    let certificate = certificate(&subject, run.tau(), &run.problem, &end, &run.radii(), rates, par);
    crate::store::write_json(&dir.analysis("certify"), &certificate)?;
    crate::report::write_run(&dir)?;
    Ok(certificate)
}

/// What `analysis/certify.json` of a run says, if it is there.
///
/// # Errors
/// A damaged file.
pub fn read(dir: &RunDir) -> Result<Option<Certificate>, Error> {
    let path = dir.analysis("certify");
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(|e| ReportError::io("read", &path, e))?;
    let damaged = |e: serde_json::Error| ReportError::BadManifest { path, reason: e.to_string() };
    Ok(Some(serde_json::from_str(&text).map_err(damaged)?))
}

/// A state and the kernel there.
pub(crate) struct Looked {
    pub(crate) view: View,
    kernel: Result<Kernel, AnalysisError>,
}

impl Looked {
    /// Looks at `theta` on at most `SAMPLES` samples.
    pub(crate) fn new(problem: &Problem, theta: Vec<f64>, par: &Par) -> Result<Looked, Error> {
        let (net, lambda) = (&problem.net, problem.config.dynamics.weight_decay);
        let data = few(&problem.train);
        let kernel = kernel::kernel(net, &data, &theta, lambda, par);
        let view = View::new(net.clone(), data, theta, lambda)?;
        Ok(Looked { view, kernel })
    }

    /// Hypotheses of Theorem 4.1 and what its proof uses, and what has a number a depth; `radii` are (training time, largest particle norm).
    pub(crate) fn conditions(&self, radii: &[(f64, f64)], par: &Par) -> (Vec<Condition>, Profile) {
        let profile = Profile::new(&self.view, radii);
        (conditions::table(&self.view, radii, &profile, &self.kernel, par), profile)
    }
}

fn few(data: &Arc<Dataset>) -> Arc<Dataset> {
    if data.samples <= SAMPLES { data.clone() } else { Arc::new(data.take(0..SAMPLES)) }
}

fn certificate(
    subject: &str,
    tau: f64,
    problem: &Problem,
    at: &Looked,
    radii: &[(f64, f64)],
    rates: Vec<Rate>,
    par: &Par,
) -> Certificate {
    let (conditions, profile) = at.conditions(radii, par);
    Certificate {
        subject: subject.into(),
        tau,
        samples: (at.view.data.samples, problem.train.samples),
        assumptions: assumption::table(&at.view),
        conditions,
        depths: depths::list(&at.view, &profile),
        rates,
    }
}
