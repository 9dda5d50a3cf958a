//! Every claim that comes with the program is measured in its quick tier; claims that are wrong are found to be wrong.

use mckean::claim::{Claim, Tier, Verdict, find, table};
use mckean_num::par::Par;

fn verdict(claim: &Claim) -> Verdict {
    claim.verify(Tier::Quick, &Par::new(2)).unwrap().verdict
}

#[test]
fn every_claim_holds_in_its_quick_tier_and_makes_a_row() {
    let claims = find("gao2024").unwrap();
    let rows: Vec<_> = claims.iter().map(|c| c.verify(Tier::Quick, &Par::new(2)).unwrap()).collect();
    let failed: Vec<_> = rows.iter().filter(|r| r.verdict != Verdict::Holds).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let (header, body) = table(&rows);
    assert!(body.len() == claims.len() && body.iter().all(|r| r.len() == header.len()));
}

#[test]
fn wrong_claims_fail() {
    let mut claim = find("gao2024-eq3.5-dissipation").unwrap().remove(0);
    claim.accept.least = Some(1.5);
    claim.accept.most = Some(2.5);
    assert_eq!(verdict(&claim), Verdict::Fails);
    let mut claim = find("gao2024-prop3.1-variation").unwrap().remove(0);
    claim.accept.least = Some(2.5);
    claim.accept.most = None;
    assert_eq!(verdict(&claim), Verdict::Fails);
}

#[test]
fn clouds_stall_along_widths_of_order_log_l_and_not_along_wider_ones() {
    let mut claim = find("gao2024-thm3.1-narrow").unwrap().remove(0);
    let numbers =
        "quantity = \"cloud\"\nseeds = 16\ndepths = [4, 8, 16, 32]\nwidths = [8, 12, 16, 20]\ntolerance = 1e-6\n";
    claim.quick = toml::from_str(numbers).unwrap();
    assert_eq!(verdict(&claim), Verdict::Holds);
    claim.quick = toml::from_str(&numbers.replace("[8, 12, 16, 20]", "[8, 16, 32, 64]")).unwrap();
    assert_eq!(verdict(&claim), Verdict::Fails, "M ~ L");
    claim.quick = toml::from_str(&numbers.replace("[8, 12, 16, 20]", "[8, 12]")).unwrap();
    let text = claim.verify(Tier::Quick, &Par::serial()).unwrap_err().to_string();
    assert!(text.contains("as many widths as depths"), "{text}");
}

#[test]
fn the_constant_of_the_descent_direction_falls_with_the_weight_decay_and_not_the_other_way() {
    let mut claim = find("gao2024-lemE.1").unwrap().remove(0);
    let numbers = "seeds = 1\nlambdas = [0.05, 0.02]\nlooks = [0.0]\naccuracy = 0.25\nresidual = 1e-3\n";
    claim.quick = toml::from_str(numbers).unwrap();
    assert_eq!(verdict(&claim), Verdict::Holds);
    claim.quick = toml::from_str(&numbers.replace("[0.05, 0.02]", "[0.02, 0.05]")).unwrap();
    assert_eq!(verdict(&claim), Verdict::Fails, "C_1 of a smaller weight decay");
    claim.quick = toml::from_str(&numbers.replace("0.25", "1e-30")).unwrap();
    assert_eq!(verdict(&claim), Verdict::NotTestable, "no fit is that good");
}

#[test]
fn width_alone_does_not_close_the_gap_of_infima() {
    let mut claim = find("gao2024-prop3.3").unwrap().remove(0);
    let numbers = "lambda = 0.2\nseeds = 1\nwidths = [4, 8, 16]\ndepths = [2, 2, 2]\nfitted = 1\nlimit = [\"init.atoms=16\"]\nstarts = 1\nresidual = 1e-4\n";
    claim.quick = toml::from_str(numbers).unwrap();
    let row = claim.verify(Tier::Quick, &Par::new(2)).unwrap();
    assert!(row.verdict == Verdict::Fails && row.value == Some(0.0), "{row:#?}");
    claim.quick = toml::from_str(&numbers.replace("[2, 2, 2]", "[2, 2]")).unwrap();
    let text = claim.verify(Tier::Quick, &Par::serial()).unwrap_err().to_string();
    assert!(text.contains("as many of the one as of the other"), "{text}");
}

#[test]
fn missing_numbers_are_named() {
    let mut claim = find("gao2024-thm4.1-lambda").unwrap().remove(0);
    claim.quick.remove("lambdas");
    let text = claim.verify(Tier::Quick, &Par::serial()).unwrap_err().to_string();
    assert!(text.contains("lambdas") && text.contains("[quick]"), "{text}");
}

#[test]
fn a_claim_of_ones_own_is_read_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, include_str!("../../../claims/gao2024-eq2.8-velocity.toml")).unwrap();
    let claim = &find(path.to_str().unwrap()).unwrap()[0];
    assert_eq!((claim.id.as_str(), verdict(claim)), ("mine", Verdict::Holds));
}
