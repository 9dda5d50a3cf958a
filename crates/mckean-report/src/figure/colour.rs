//! Colours that colour-blind readers can tell apart.
//!
//! Maths: piecewise linear interpolation in sRGB between nine stops of the ramp.
//! Shapes: scalars.
//! Cost: none.
//! Checked: unit tests below (ends, monotone lightness, any f64).

use plotters::style::RGBColor;

/// The colour of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colour {
    /// One of the eight colours of Okabe and Ito: blue, vermilion, green, purple, orange, sky blue, black, yellow
    /// (strongest on white first; the index is taken modulo 8).
    Index(usize),
    /// A place in 0..1 on the viridis ramp, dark to light: for ordered families such as widths or depths.
    Ramp(f64),
}

impl Default for Colour {
    fn default() -> Self {
        Self::Index(0)
    }
}

/// Okabe and Ito, "Color Universal Design" (2008).
const OKABE_ITO: [u32; 8] = [0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x000000, 0xf0e442];

/// Viridis (Smith and van der Walt, 2015) at 0, 1/8, ..., 1.
const VIRIDIS: [u32; 9] = [0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725];

/// The light end of the ramp is too pale for thin lines on white; it stops here.
const RAMP_END: f64 = 0.86;

impl Colour {
    /// Evenly spaced colours for an ordered family: member `i` of `n`.
    pub fn ramp(i: usize, n: usize) -> Self {
        Self::Ramp(i as f64 / n.saturating_sub(1).max(1) as f64)
    }

    pub(super) fn rgb(self) -> RGBColor {
        match self {
            Self::Index(i) => unpack(OKABE_ITO[i % OKABE_ITO.len()]),
            Self::Ramp(place) if place.is_nan() => unpack(0x888888),
            Self::Ramp(place) => ramp(place.clamp(0.0, 1.0) * RAMP_END),
        }
    }
}

fn unpack(hex: u32) -> RGBColor {
    let [_, r, g, b] = hex.to_be_bytes();
    RGBColor(r, g, b)
}

fn ramp(place: f64) -> RGBColor {
    let at = place * (VIRIDIS.len() - 1) as f64;
    let i = (at as usize).min(VIRIDIS.len() - 2);
    let (RGBColor(r0, g0, b0), RGBColor(r1, g1, b1)) = (unpack(VIRIDIS[i]), unpack(VIRIDIS[i + 1]));
    let mix = |a: u8, b: u8| (f64::from(a) + (at - i as f64) * (f64::from(b) - f64::from(a))).round() as u8;
    RGBColor(mix(r0, r1), mix(g0, g1), mix(b0, b1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_gets_lighter_and_takes_any_number() {
        let light = |RGBColor(r, g, b): RGBColor| 2 * u32::from(r) + 7 * u32::from(g) + u32::from(b);
        let steps: Vec<u32> = (0..=20).map(|i| light(Colour::ramp(i, 21).rgb())).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
        assert_eq!(Colour::Ramp(-3.0).rgb(), Colour::Ramp(0.0).rgb());
        assert_eq!(Colour::Ramp(f64::INFINITY).rgb(), Colour::Ramp(1.0).rgb());
        Colour::Ramp(f64::NAN).rgb();
        assert_eq!(Colour::ramp(0, 0), Colour::Ramp(0.0));
    }
}
