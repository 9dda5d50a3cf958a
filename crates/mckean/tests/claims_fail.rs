//! Claims that cannot hold do not: measurements without a number, flows that end early, rows that were not decided, files that ask for nothing.

use mckean::claim::{Claim, Row, Tier, Verdict, find};
use mckean_num::par::Par;

/// A claim with other numbers (`quick`) and other keys of its config.
fn with(name: &str, quick: &str, config: &[(&str, &str)]) -> Claim {
    let mut claim = find(&format!("gao2024-{name}")).unwrap().remove(0);
    claim.quick.extend(toml::from_str::<toml::Table>(quick).unwrap());
    for (section, keys) in config {
        let own = claim.config.entry(*section).or_insert_with(|| toml::Table::new().into()).as_table_mut().unwrap();
        own.extend(toml::from_str::<toml::Table>(keys).unwrap());
    }
    claim
}

fn row(claim: &Claim) -> Row {
    claim.verify(Tier::Quick, &Par::new(2)).unwrap()
}

fn verdict(name: &str, quick: &str, config: &[(&str, &str)]) -> Verdict {
    row(&with(name, quick, config)).verdict
}

#[test]
fn what_is_no_number_is_not_testable() {
    let broken = [("init", "scale = 1e200")];
    let r = row(&with("eq2.8-velocity", "", &broken));
    assert!(r.verdict == Verdict::NotTestable && r.value.is_none() && r.words.contains("not finite"), "{r:#?}");
    for name in ["eq3.5-dissipation", "prop3.1-variation", "flow-continuity", "lemD.6-width"] {
        match with(name, "", &broken).verify(Tier::Quick, &Par::new(2)) {
            Ok(r) => assert_ne!(r.verdict, Verdict::Holds, "{r:#?}"),
            Err(e) => assert!(!e.to_string().is_empty(), "{name}"),
        }
    }
    assert_eq!(verdict("f7-adjoint", "scales = [1e200]", &[]), Verdict::NotTestable);
}

#[test]
fn flows_that_end_early_or_do_not_rest_are_not_testable() {
    let steep = [("dynamics", "integrator = \"euler\"\nstep = 50.0\nuntil = 5000.0")];
    assert_eq!(verdict("f7-adjoint", "seeds = 1\nscales = [2.0]", &steep), Verdict::NotTestable, "no trained state");
    let few = [("dynamics", "max_steps = 5")];
    for name in ["fails-undamped", "fails-narrow", "prop3.2-moment", "flow-continuity"] {
        assert_eq!(verdict(name, "", &few), Verdict::NotTestable, "{name}");
    }
    let large = "lambdas = [0.2, 0.1]\nresidual = 1e-4";
    assert_eq!(verdict("thm4.1-lambda", large, &[]), Verdict::Holds);
    let r = row(&with("thm4.1-lambda", large, &[("stationary", "horizon = 1.0")]));
    assert!(r.verdict == Verdict::NotTestable && r.words.contains("not at rest"), "{r:#?}");
}

#[test]
fn plain_steps_can_violate_the_bounds_of_a_falling_objective() {
    let steps = "looks = 4\nintegrators = [\"euler\"]";
    assert_eq!(verdict("prop3.2-moment", steps, &[("dynamics", "step = 2.0")]), Verdict::Holds);
    assert_eq!(verdict("prop3.2-moment", steps, &[("dynamics", "step = 20.0")]), Verdict::Fails);
    let rising = [("dynamics", "integrator = \"euler\"\nstep = 5.0")];
    let r = row(&with("flow-continuity", "looks = 2", &rising));
    assert!(r.verdict == Verdict::Fails && r.value == Some(f64::INFINITY), "Q rises: {r:#?}");
    let undamped = with("prop3.2-moment", "", &[("dynamics", "weight_decay = 0.0")]);
    let text = undamped.verify(Tier::Quick, &Par::new(2)).unwrap_err().to_string();
    assert!(text.contains("gao2024-prop3.2-moment.toml: dynamics.weight_decay") && text.contains("Set"), "{text}");
}

#[test]
fn rows_that_are_not_decided_neither_hold_nor_cure() {
    let few = [("data", "train = 8"), ("dynamics", "until = 1.0")];
    let r = row(&with("propG.1-assumptions", "", &few[..1]));
    assert!(r.verdict == Verdict::NotTestable && r.words.contains("A4 (ii) on the data"), "{r:#?}");
    assert_eq!(verdict("fails-tokens", "", &few), Verdict::NotTestable, "the cured fit interpolates");
    assert_eq!(verdict("fails-undamped", "", &[("dynamics", "until = 0.1")]), Verdict::Fails, "nothing has grown");
    let cure = |decay: &str| format!("cure = [\"dynamics.weight_decay={decay}\"]");
    assert_eq!(verdict("fails-undamped", &cure("0.01"), &[]), Verdict::Fails, "a bound that is not reached");
    assert_eq!(verdict("fails-undamped", &cure("0.0"), &[]), Verdict::NotTestable, "no bound at all");
}

#[test]
fn tails_are_part_of_the_verdict() {
    let mut claim = with("lemC.7-moment", "", &[]);
    claim.accept.tail = Some(0.3);
    let heavy = row(&claim);
    assert!(heavy.verdict == Verdict::Fails && heavy.accepted.contains("tail 0.3"), "{heavy:#?}");
    (claim.accept.tail, claim.accept.contains, claim.accept.most) = (Some(0.5), None, Some(10.0));
    assert_eq!(row(&claim).verdict, Verdict::Holds);
    claim.quick.insert("seeds".into(), 4.into());
    assert_eq!(row(&claim).verdict, Verdict::NotTestable, "too few seeds for a tail");
}

/// The message with which a claim with this key is refused.
fn refused(claim: &Claim, key: &str, value: toml::Value) -> String {
    let mut claim = claim.clone();
    claim.quick.insert(key.into(), value);
    let text = claim.verify(Tier::Quick, &Par::serial()).map(|r| r.verdict).unwrap_err().to_string();
    assert!(text.contains(&format!("{}.toml: {key}", claim.id)) && text.contains("Set"), "{text}");
    text
}

#[test]
fn counts_of_zero_and_lists_that_are_too_short_are_refused_by_name() {
    let fits = ["lambdas", "widths", "depths", "ladder", "steps"];
    for claim in find("gao2024").unwrap() {
        for (key, value) in &claim.quick {
            if value.is_float() || value.is_integer() {
                refused(&claim, key, 0.into());
            }
            let Some(list) = value.as_array() else { continue };
            if list.iter().all(|v| !v.is_str()) {
                refused(&claim, key, toml::Value::Array(vec![]));
            }
            if fits.contains(&key.as_str()) {
                refused(&claim, key, toml::Value::Array(list[..1].to_vec()));
            }
        }
    }
    let infimum = with("prop3.3", "", &[]);
    refused(&infimum, "fitted", 4.into());
    refused(&infimum, "seeds", 0.5.into());
}
