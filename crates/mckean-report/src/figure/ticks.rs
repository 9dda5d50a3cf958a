//! Where ticks go and what they say.
//!
//! Maths: linear steps of 1, 2, 5 times a power of ten; logarithmic ticks at powers of ten, or at 1, 2, 5 times them
//! when the range is short.
//! Shapes: positions in 0..=1.
//! Cost: a few dozen operations.
//! Checked: unit tests below; never more labels than fit, on any range (`tests/figure.rs`).

use super::scale::Scale;
use super::text::{minus, width};

/// What a tick says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Label {
    Plain(String),
    /// mantissa times ten to the exponent; a mantissa of 1 is not written.
    Power {
        mantissa: i32,
        exponent: i32,
    },
}

/// The ticks of one axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ticks {
    pub major: Vec<(f64, Label)>,
    pub minor: Vec<f64>,
    /// The labels are to be multiplied by ten to this.
    pub factor: Option<i32>,
}

/// Font size of tick labels, pixels.
pub(super) const SIZE: f64 = 10.5;
/// Font size of exponents, pixels.
pub(super) const SIZE_UP: f64 = 8.0;

impl Label {
    /// Estimated width in pixels.
    pub(super) fn width(&self) -> f64 {
        match self {
            Self::Plain(text) => width(text, SIZE),
            Self::Power { exponent, .. } => width(&self.base(), SIZE) + width(&minus(&exponent.to_string()), SIZE_UP),
        }
    }

    /// What stands on the line, below the exponent.
    pub(super) fn base(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Power { mantissa: 1, .. } => "10".to_string(),
            Self::Power { mantissa, .. } => format!("{mantissa}·10"),
        }
    }
}

impl Ticks {
    /// As many labels as fit beside each other on a horizontal axis of `room` pixels.
    pub(super) fn horizontal(scale: &Scale, room: f64) -> Ticks {
        let gap = |a: &Label, b: &Label| 0.5 * (a.width() + b.width()) + 9.0;
        Self::fitting(scale, room, 8, gap)
    }

    /// As many labels as fit above each other on a vertical axis of `room` pixels.
    pub(super) fn vertical(scale: &Scale, room: f64) -> Ticks {
        Self::fitting(scale, room, 8, |_, _| 2.2 * SIZE)
    }

    fn fitting(scale: &Scale, room: f64, most: usize, gap: impl Fn(&Label, &Label) -> f64) -> Ticks {
        let fits = |ticks: &Ticks| {
            let pairs = ticks.major.iter().zip(ticks.major.iter().skip(1));
            pairs.into_iter().all(|((a, la), (b, lb))| (b - a).abs() * room >= gap(la, lb))
        };
        let candidates = (1..=most).rev().map(|most| Self::of(scale, most));
        candidates.into_iter().find(fits).unwrap_or_default()
    }

    /// At most `most` + 1 labels.
    fn of(scale: &Scale, most: usize) -> Ticks {
        if !scale.log {
            return linear(scale, most);
        }
        let exponents = scale.lo.ceil() as i32..=scale.hi.floor() as i32;
        let short = exponents.clone().count() < 3;
        let choices: &[&[i32]] = if short { &[&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[1, 2, 5]] } else { &[] };
        let mut fine = choices.iter().map(|mantissas| multiples(scale, mantissas));
        match fine.find(|found| (2..=most).contains(&found.len())) {
            Some(found) => Ticks { major: labelled(scale, &found), minor: minor(scale), factor: None },
            None if short => linear_on_log(scale, most),
            None => decades(scale, most),
        }
    }
}

/// (mantissa, exponent) of all such multiples of powers of ten within the range, ascending.
fn multiples(scale: &Scale, mantissas: &[i32]) -> Vec<(i32, i32)> {
    let exponents = scale.lo.floor() as i32..=scale.hi.floor() as i32;
    let all = exponents.flat_map(|e| mantissas.iter().map(move |&m| (m, e)));
    all.filter(|&(m, e)| (scale.lo..=scale.hi).contains(&log_of(m, e))).collect()
}

fn log_of(mantissa: i32, exponent: i32) -> f64 {
    f64::from(mantissa).log10() + f64::from(exponent)
}

/// Labels for multiples of powers of ten: plain numbers where these are short, powers otherwise.
fn labelled(scale: &Scale, multiples: &[(i32, i32)]) -> Vec<(f64, Label)> {
    let plain = multiples.iter().all(|(_, e)| (-2..=3).contains(e));
    let label = |&(mantissa, exponent): &(i32, i32)| {
        let decimals = usize::try_from(-exponent).unwrap_or(0);
        let value = f64::from(mantissa) * 10f64.powi(exponent);
        let power = Label::Power { mantissa, exponent };
        let label = if plain { Label::Plain(format!("{value:.decimals$}")) } else { power };
        (scale.place(log_of(mantissa, exponent)), label)
    };
    multiples.iter().map(label).collect()
}

/// Unlabelled ticks at 2, ..., 9 times the powers of ten.
fn minor(scale: &Scale) -> Vec<f64> {
    let all = multiples(scale, &[2, 3, 4, 5, 6, 7, 8, 9]);
    all.iter().map(|&(m, e)| scale.place(log_of(m, e))).collect()
}

/// Labels at every power of ten, or at every second, third, fifth ... when there are many.
fn decades(scale: &Scale, most: usize) -> Ticks {
    let exponents: Vec<i32> = (scale.lo.ceil() as i32..=scale.hi.floor() as i32).collect();
    let strides = [1, 2, 3, 5, 10, 20, 50, 100, 200];
    let kept = |stride: i32| exponents.iter().filter(|e| *e % stride == 0).count();
    let stride = strides.into_iter().find(|&stride| kept(stride) <= most).unwrap_or(500);
    let chosen: Vec<(i32, i32)> = exponents.iter().filter(|e| *e % stride == 0).map(|&e| (1, e)).collect();
    let minor = match (stride, exponents.len()) {
        (1, 0..=6) => minor(scale),
        (2.., 0..=40) => exponents.iter().map(|&e| scale.place(f64::from(e))).collect(),
        _ => Vec::new(),
    };
    Ticks { major: labelled(scale, &chosen), minor, factor: None }
}

/// Labels at multiples of a round step.
fn linear(scale: &Scale, most: usize) -> Ticks {
    let (values, factor) = round_values(scale.lo, scale.hi, most);
    let place = |(value, text): (f64, String)| (scale.place(value), Label::Plain(text));
    Ticks { major: values.into_iter().map(place).collect(), minor: Vec::new(), factor }
}

/// Round numbers on a logarithmic axis too short for powers of ten.
fn linear_on_log(scale: &Scale, most: usize) -> Ticks {
    let (values, factor) = round_values(10f64.powf(scale.lo), 10f64.powf(scale.hi), most);
    let place = |(value, text): (f64, String)| (scale.place(value.log10()), Label::Plain(text));
    let inside = values.into_iter().filter(|(value, _)| *value > 0.0);
    Ticks { major: inside.map(place).collect(), minor: Vec::new(), factor }
}

/// Multiples of a round step in lo..=hi with their texts, at most `most` + 1, and the power of ten taken out of them.
fn round_values(lo: f64, hi: f64, most: usize) -> (Vec<(f64, String)>, Option<i32>) {
    let raw = (hi - lo) / most as f64;
    let decade = raw.log10().floor();
    if !raw.is_normal() || decade < -290.0 {
        return (Vec::new(), None);
    }
    let power = 10f64.powf(decade);
    let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= raw * (1.0 - 1e-9));
    let (digit, decade) = digit.map_or((1.0, decade + 1.0), |digit| (digit, decade));
    let step = digit * 10f64.powf(decade);
    let size = lo.abs().max(hi.abs()).log10().floor();
    let factor = if (-3.0..5.0).contains(&size) { 0.0 } else { size };
    let decimals = (factor - decade).clamp(0.0, 15.0) as usize;
    let (first, last) = ((lo / step - 1e-9).ceil() as i64, (hi / step + 1e-9).floor() as i64);
    let text = |i: i64| minus(&format!("{:.decimals$}", i as f64 * digit * 10f64.powf(decade - factor)));
    let values = (first..=last).take(most + 2).map(|i| (i as f64 * step, text(i))).collect();
    (values, (factor != 0.0).then_some(factor as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: bool, lo: f64, hi: f64) -> Vec<String> {
        let ticks = Ticks::of(&Scale { log, lo, hi }, 6);
        ticks
            .major
            .iter()
            .map(|(_, label)| match label {
                Label::Plain(text) => text.clone(),
                Label::Power { mantissa, exponent } => format!("{mantissa}e{exponent}"),
            })
            .collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(texts(false, -0.05, 1.05), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(false, -11.0, 11.0), ["−10", "−5", "0", "5", "10"]);
        assert_eq!(texts(false, 0.0, 3e-5), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]);
        assert_eq!(Ticks::of(&Scale { log: false, lo: 0.0, hi: 3e-5 }, 6).factor, Some(-5));
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_or_their_1_2_5() {
        assert_eq!(texts(true, -6.2, 0.1), ["1e-6", "1e-4", "1e-2", "1e0"]);
        assert_eq!(texts(true, -3.2, 0.1), ["1e-3", "1e-2", "1e-1", "1e0"]);
        assert_eq!(texts(true, -0.04, 1.55), ["1", "2", "5", "10", "20"]);
        assert_eq!(texts(true, -0.05, 2.05), ["1", "10", "100"]);
        assert_eq!(texts(true, 2.0f64.log10(), 2.6f64.log10()), ["2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"]);
        assert_eq!(texts(true, -300.0, 300.0), ["1e-200", "1e0", "1e200"]);
    }
}
