//! How a row of features is cut into tokens.
//!
//! Maths: a patch embedding without its linear map; the cut is a permutation of the features.
//! Shapes: features of an image are `[channels][height][width]`; tokens are `[n][channels][patch][patch]`.
//! Cost: O(features), once per data set.
//! Checked: tests below (patches against hand-written ones; the cut is a permutation); `tests/digits.rs`.

use crate::error::bad_value;
use crate::{DataConfig, DataError, Layout};

/// Sides of an image in numbers: channels, height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageShape {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

/// Which feature is which entry of which token: entry j of token t is feature `order[t * size + j]`.
#[derive(Debug)]
pub(crate) struct Cut {
    pub tokens: usize,
    pub order: Vec<usize>,
}

impl Cut {
    /// Numbers per token.
    pub fn size(&self) -> usize {
        self.order.len() / self.tokens
    }

    /// Consecutive features: `tokens` of them per row, which must divide `features`.
    pub fn rows(features: usize, tokens: usize) -> Result<Cut, DataError> {
        if tokens > 0 && features.is_multiple_of(tokens) {
            return Ok(Cut { tokens, order: (0..features).collect() });
        }
        let problem = format!("does not divide the {features} features of a row");
        Err(bad_value("tokens", tokens, problem, format!("Choose one of {}.", divisors(features))))
    }

    /// An image as `layout` and `patch` say.
    pub fn image(config: &DataConfig, shape: ImageShape) -> Result<Cut, DataError> {
        let ImageShape { channels, height, width } = shape;
        match config.layout {
            Layout::Patches => Cut::patches(shape, config.patch),
            Layout::Pixels => Cut::rows(channels * height * width, channels * height * width),
        }
    }

    /// Square patches, row by row of the image.
    fn patches(shape: ImageShape, patch: usize) -> Result<Cut, DataError> {
        let ImageShape { channels, height, width } = shape;
        if patch == 0 || !height.is_multiple_of(patch) || !width.is_multiple_of(patch) {
            let problem = format!("does not divide the sides of the {height} x {width} image");
            let remedy = format!("Choose one of {}.", divisors(gcd(height, width)));
            return Err(bad_value("patch", patch, problem, remedy));
        }
        let across = width / patch;
        let tokens = height / patch * across;
        let mut order = Vec::with_capacity(channels * height * width);
        for token in 0..tokens {
            let (top, left) = (token / across * patch, token % across * patch);
            for channel in 0..channels {
                for y in top..top + patch {
                    order.extend((left..left + patch).map(|x| (channel * height + y) * width + x));
                }
            }
        }
        Ok(Cut { tokens, order })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The divisors of n, for a message (at most twelve).
fn divisors(n: usize) -> String {
    let all: Vec<String> = (1..=n.min(4096)).filter(|d| n.is_multiple_of(*d)).map(|d| d.to_string()).take(12).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(channels: usize, height: usize, width: usize, patch: usize) -> Cut {
        Cut::patches(ImageShape { channels, height, width }, patch).unwrap()
    }

    #[test]
    fn patches_of_a_small_image() {
        let c = cut(1, 4, 6, 2);
        assert_eq!((c.tokens, c.size()), (6, 4));
        assert_eq!(c.order[..12], [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
        assert_eq!(c.order[12..16], [12, 13, 18, 19]);
        // two channels of 2 x 2 in one patch: the first plane, then the second
        assert_eq!(cut(2, 2, 2, 2).order, [0, 1, 2, 3, 4, 5, 6, 7]);
        // patches of one pixel put the channels of a pixel side by side
        assert_eq!(cut(2, 1, 3, 1).order, [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn every_cut_is_a_permutation() {
        for (c, h, w, p) in [(1, 8, 8, 4), (3, 32, 32, 4), (2, 6, 9, 3), (3, 5, 7, 1)] {
            let mut order = cut(c, h, w, p).order;
            order.sort_unstable();
            assert!(order.into_iter().eq(0..c * h * w));
        }
    }

    #[test]
    fn a_patch_that_does_not_fit_is_refused_with_the_choices() {
        for patch in [0, 3, 8] {
            let refused = Cut::patches(ImageShape { channels: 1, height: 8, width: 12 }, patch).unwrap_err();
            assert!(refused.to_string().contains("8 x 12 image. Choose one of 1, 2, 4."), "{refused}");
        }
        let text = Cut::rows(6, 4).unwrap_err().to_string();
        assert!(text.contains("Choose one of 1, 2, 3, 6."), "{text}");
    }
}
