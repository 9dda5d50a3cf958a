//! What a kind of claim reads from its file, checked before anything is measured.
//!
//! Maths: none.
//! Shapes: numbers, counts, texts and lists of one tier; the problem with each of its seeds.
//! Cost: none.
//! Checked: tests below, `tests/claims_fail.rs` (every kind refuses counts of 0 and lists that are too short by name).

use super::Claim;
use crate::config::Config;
use crate::error::Error;
use mckean_num::par::Par;

/// What a kind works with.
pub(crate) struct Context<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// Numbers of the tier.
    pub numbers: &'a toml::Table,
    /// Threads.
    pub par: &'a Par,
}

impl Context<'_> {
    /// The key of this claim's file is not `what`.
    pub fn wrong(&self, key: &str, what: &str) -> Error {
        let given = self.numbers.get(key);
        let problem = format!("this kind of claim needs {what} under [quick] and [full]. Set {key} there.");
        let value = given.map_or("missing".into(), toml::Value::to_string);
        Error::Value { key: format!("{}.toml: {key}", self.claim.id), value, problem }
    }

    /// A number of the tier.
    pub fn number(&self, key: &str) -> Result<f64, Error> {
        let given = self.numbers.get(key).and_then(number);
        given.filter(|x| x.is_finite()).ok_or_else(|| self.wrong(key, "a finite number"))
    }

    /// A number above 0.
    pub fn positive(&self, key: &str) -> Result<f64, Error> {
        Some(self.number(key)?).filter(|x| *x > 0.0).ok_or_else(|| self.wrong(key, "a number > 0"))
    }

    /// How many: a whole number from 1 on.
    pub fn count(&self, key: &str) -> Result<usize, Error> {
        whole(self.number(key)?).ok_or_else(|| self.wrong(key, "a whole number of 1 or more"))
    }

    /// A text of the tier.
    pub fn text(&self, key: &str) -> Result<String, Error> {
        let text = self.numbers.get(key).and_then(toml::Value::as_str);
        text.map(String::from).ok_or_else(|| self.wrong(key, "a text"))
    }

    /// A list of texts of the tier.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, Error> {
        let text = |v: &toml::Value| v.as_str().map(String::from);
        let all = |v: &toml::Value| v.as_array().and_then(|a| a.iter().map(text).collect::<Option<Vec<String>>>());
        self.numbers.get(key).and_then(all).ok_or_else(|| self.wrong(key, "a list of texts"))
    }

    /// A list of one or more finite numbers.
    pub fn list(&self, key: &str) -> Result<Vec<f64>, Error> {
        let all = |v: &toml::Value| v.as_array().and_then(|a| a.iter().map(number).collect::<Option<Vec<f64>>>());
        let list = self.numbers.get(key).and_then(all);
        let sound = list.filter(|l| !l.is_empty() && l.iter().all(|x| x.is_finite()));
        sound.ok_or_else(|| self.wrong(key, "a list of finite numbers"))
    }

    /// `least` or more numbers above 0, all different.
    pub fn positives(&self, key: &str, least: usize) -> Result<Vec<f64>, Error> {
        let list = self.list(key)?;
        let different = list.iter().enumerate().all(|(i, x)| !list[..i].contains(x));
        match list.len() >= least && different && list.iter().all(|x| *x > 0.0) {
            true => Ok(list),
            false => Err(self.wrong(key, &format!("{least} or more different numbers > 0"))),
        }
    }

    /// `least` or more whole numbers from 1 on.
    pub fn sizes(&self, key: &str, least: usize) -> Result<Vec<usize>, Error> {
        let all = self.list(key)?.into_iter().map(whole).collect::<Option<Vec<usize>>>();
        let enough = all.filter(|l| l.len() >= least);
        enough.ok_or_else(|| self.wrong(key, &format!("{least} or more whole numbers of 1 or more")))
    }

    /// The problem with each of the tier's `seeds` seeds.
    pub fn seeds(&self) -> Result<Vec<Config>, Error> {
        let base = self.claim.problem(&[])?;
        let seed = |s: usize| Config { seed: base.seed.wrapping_add(s as u64), ..base.clone() };
        Ok((0..self.count("seeds")?).map(seed).collect())
    }
}

fn number(v: &toml::Value) -> Option<f64> {
    v.as_float().or(v.as_integer().map(|i| i as f64))
}

/// A whole number from 1 on, as such.
fn whole(x: f64) -> Option<usize> {
    (x >= 1.0 && x.fract() == 0.0 && x < 1e15).then_some(x as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lists_are_what_they_should_be_or_refused_by_name() {
        let claim = crate::claim::find("gao2024-eq2.8-velocity").unwrap().remove(0);
        let text =
            "zero = 0\nhalf = 0.5\ntwo = 2\nnone = []\nsame = [1, 1]\ngood = [4, 2.0]\nbad = [0, 1]\nmissing = nan";
        let numbers: toml::Table = toml::from_str(text).unwrap();
        let par = Par::serial();
        let c = Context { claim: &claim, numbers: &numbers, par: &par };
        assert_eq!((c.count("two").unwrap(), c.positive("half").unwrap()), (2, 0.5));
        assert_eq!((c.sizes("good", 2).unwrap(), c.positives("good", 2).unwrap()), (vec![4, 2], vec![4.0, 2.0]));
        let refused = [
            c.count("zero").unwrap_err(),
            c.count("half").unwrap_err(),
            c.positive("zero").unwrap_err(),
            c.number("missing").unwrap_err(),
            c.list("none").unwrap_err(),
            c.positives("same", 2).unwrap_err(),
            c.positives("good", 3).unwrap_err(),
            c.sizes("bad", 1).unwrap_err(),
            c.sizes("good", 3).unwrap_err(),
        ];
        for (error, key) in
            refused.iter().zip(["zero", "half", "zero", "missing", "none", "same", "good", "bad", "good"])
        {
            let text = error.to_string();
            assert!(text.contains(&format!("gao2024-eq2.8-velocity.toml: {key}")) && text.contains("Set"), "{text}");
        }
        assert!(c.seeds().is_err(), "no seeds");
    }
}
