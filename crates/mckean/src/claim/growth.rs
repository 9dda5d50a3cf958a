//! How the constant of Theorem 3.1 grows with the length of training.
//!
//! Maths: inside the proof of Theorem 3.1 of Gao et al. 2024 the distance of particles to those driven by the limit is at most C(tau)(1/L + sqrt((delta +
//! log(L + 1))/M)), C possibly exponential in tau (a Gronwall factor). Compared at equal depth with the scale (M L)^-1/2 (DERIVED).
//! Shapes: `widths`, `depths`, `seeds` as in `rate`; the largest of both is used; the times are those of `[limit]`.
//! Cost: one flow a seed.
//! Checked: `tests/claims.rs`.

use super::chaos::no_atoms;
use super::rate::parts;
use super::{Context, Found, sample};
use crate::error::Error;
use crate::rates::Shared;
use mckean_analysis::verdict::larger;

/// C(last time)/C(first time).
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, settings, grid) = parts(c, &["widths", "depths"])?;
    let shared = Shared::new(&problem, &settings, &grid);
    let (taus, m, l) = (&settings.taus, grid.widths[grid.widths.len() - 1], grid.depths[grid.depths.len() - 1]);
    let Some(driven) = shared.wide(l)?.atoms else { return Ok(no_atoms()) };
    let one = |s: usize| -> Result<Vec<f64>, Error> {
        let far = shared.compare(&shared.finite(m, l, s)?.side(), &driven.side())?.largest;
        let until = |most: &mut f64, x| {
            *most = larger(*most, x);
            Some(*most)
        };
        Ok(far.into_iter().scan(0.0, until).collect())
    };
    let mut all: Vec<_> = (0..grid.seeds).map(|s| (s, None)).collect();
    c.par.each(&mut all, |_, (s, slot)| *slot = Some(one(*s)));
    let all = all.into_iter().filter_map(|a| a.1).collect::<Result<Vec<_>, Error>>()?;
    let rms = |k: usize| (all.iter().map(|d| d[k] * d[k]).sum::<f64>() / all.len() as f64).sqrt();
    let constants: Vec<f64> = (0..taus.len()).map(|k| rms(k) * ((m * l) as f64).sqrt()).collect();
    let list: Vec<String> = taus.iter().zip(&constants).map(|(t, x)| format!("C({t}) = {x:.2}")).collect();
    let power = sample::slope(taus, &constants);
    let words = format!(
        "M = {m}, L = {l}, {} seeds, rms of the largest distance times sqrt(M L): {}; as a power of tau {power:.2}",
        grid.seeds,
        list.join(", ")
    );
    Ok(Found { value: constants[constants.len() - 1] / constants[0], words, ..Default::default() })
}
