//! Gaps measured against a reference that is itself not exact.
//!
//! Maths: errors of network and reference are independent, so measured^2 = gap^2 + reference^2 in the mean; the reference's share is
//! subtracted in quadrature from the mean square of every cell.
//! Shapes: a grid in, a grid out.
//! Cost: linear.
//! Checked: tests below (slopes are restored; dominated cells are refused).

use super::Cell;
use crate::error::AnalysisError;

/// Share of the measured gap above which subtracting would be guessing.
const MOST: f64 = 0.7;

/// The grid with the known rms error `reference` removed; seeds keep their proportions.
///
/// # Errors
/// A cell in which the reference makes up more than 70 % of the gap.
pub fn corrected(grid: &[Cell], reference: f64) -> Result<Vec<Cell>, AnalysisError> {
    let one = |c: &Cell| {
        let gap = c.rms();
        if reference > MOST * gap || !reference.is_finite() {
            let (share, cell) = (100.0 * reference / gap, format!("M = {}, L = {}", c.width, c.depth));
            return Err(AnalysisError::Reference { reference, gap, share, cell });
        }
        let factor = (1.0 - (reference / gap).powi(2)).sqrt();
        Ok(Cell { gaps: c.gaps.iter().map(|g| factor * g).collect(), ..c.clone() })
    };
    grid.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, power_law};
    use super::*;

    fn grid(reference: f64) -> Vec<Cell> {
        let gap = |m: f64| (1.0 / m + reference * reference).sqrt();
        [16.0, 64.0, 256.0].map(|m| Cell { width: m, depth: 4.0, gaps: vec![0.8 * gap(m), 1.2 * gap(m)] }).to_vec()
    }

    #[test]
    fn the_slope_is_that_of_the_gap_to_the_limit() {
        let slope = |g: &[Cell]| power_law(g, Axis::Width).unwrap().slope.value;
        let spread = (0.5f64 * (0.64 + 1.44)).sqrt(); // of the two seeds: rms is larger than the gap by this factor
        let measured = grid(0.05);
        assert!((slope(&measured) + 0.5).abs() > 0.05);
        assert!((slope(&corrected(&measured, 0.05 * spread).unwrap()) + 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_reference_that_dominates_is_refused() {
        let text = corrected(&grid(0.05), 0.08).unwrap_err().to_string();
        assert!(text.contains("M = 256") && text.contains("refine the reference"), "{text}");
        assert!(corrected(&grid(0.05), f64::NAN).is_err());
    }
}
