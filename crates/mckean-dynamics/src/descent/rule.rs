//! Update rules, coordinate by coordinate.
//!
//! Maths: gd, heavy ball m <- mu m + g, sign, Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019);
//! g = speed grad R (+ lambda beta unless decoupled), so Adam's epsilon is relative to the mean-field gradient.
//! Shapes: flat vectors, cut into pieces of fixed length that threads take.
//! Cost: a few operations a coordinate; bound by memory.
//! Checked: `tests/descent.rs` against written-out recursions.

use crate::config::{DynamicsConfig, Rule};
use mckean_num::lane::Real;
use mckean_num::par::Par;

/// Which of the two moment vectors a rule uses.
pub fn moments(rule: Rule) -> [bool; 2] {
    match rule {
        Rule::Gd | Rule::Sgd | Rule::Sign => [false, false],
        Rule::Momentum => [true, false],
        Rule::Adam | Rule::Adamw => [true, true],
    }
}

/// Coordinates of one piece.
const PIECE: usize = 1 << 14;

/// Neighbouring coordinates with their moments (empty where the rule has none).
struct Piece<'a, T> {
    speeds: &'a [f64],
    grad: &'a [T],
    first: &'a mut [T],
    second: &'a mut [T],
    beta: &'a mut [T],
}

/// Moves `beta` by one step; `step` counts from 1.
pub fn update<T: Real>(
    c: &DynamicsConfig,
    rate: f64,
    step: u64,
    speeds: &[f64],
    grad: &[T],
    moments: &mut [Vec<T>; 2],
    beta: &mut [T],
    par: &Par,
) {
    let [first, second] = moments;
    let mut first = first.chunks_mut(PIECE);
    let mut second = second.chunks_mut(PIECE);
    let rest = speeds.chunks(PIECE).zip(grad.chunks(PIECE)).zip(beta.chunks_mut(PIECE));
    let mut piece = |((speeds, grad), beta)| {
        let (first, second) = (first.next().unwrap_or_default(), second.next().unwrap_or_default());
        Piece { speeds, grad, first, second, beta }
    };
    let mut pieces: Vec<Piece<'_, T>> = rest.map(&mut piece).collect();
    par.each(&mut pieces, |_, p| move_piece(c, rate, step, p));
}

fn move_piece<T: Real>(c: &DynamicsConfig, rate: f64, step: u64, piece: &mut Piece<'_, T>) {
    let Piece { speeds, grad, first, second, beta } = piece;
    let correction = |decay: f64| 1.0 - decay.powi(step.min(i32::MAX as u64) as i32);
    let (c1, c2) = (correction(c.beta1), correction(c.beta2));
    let coupled = if c.optimizer == Rule::Adamw { 0.0 } else { c.weight_decay };
    for i in 0..beta.len() {
        let b = beta[i].re();
        let g = speeds[i] * grad[i].re() + coupled * b;
        let direction = match c.optimizer {
            Rule::Gd | Rule::Sgd => g,
            Rule::Sign => {
                if g == 0.0 {
                    0.0
                } else {
                    g.signum()
                }
            }
            Rule::Momentum => blend(&mut first[i], c.momentum, 1.0, g),
            Rule::Adam | Rule::Adamw => {
                let m = blend(&mut first[i], c.beta1, 1.0 - c.beta1, g);
                let v = blend(&mut second[i], c.beta2, 1.0 - c.beta2, g * g);
                let decay = if c.optimizer == Rule::Adamw { c.weight_decay * b } else { 0.0 };
                m / c1 / ((v / c2).sqrt() + c.epsilon) + decay
            }
        };
        beta[i] = T::new(b - rate * direction, 0.0);
    }
}

/// `slot = keep * slot + add * x`, rounded to the type; returns it.
fn blend<T: Real>(slot: &mut T, keep: f64, add: f64, x: f64) -> f64 {
    *slot = T::new(keep * slot.re() + add * x, 0.0);
    slot.re()
}
