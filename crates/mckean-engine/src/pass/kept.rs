//! What sublayers keep from forward to backward pass, so as not to compute it twice, and how much room that may take.
//!
//! Maths: none; with room or without, results are the same bits.
//! Shapes: one run of lanes a sublayer, particle after particle.
//! Cost: memory for time: projections and hidden units cost a third of a forward pass to compute again.
//! Checked: `tests/threads.rs` (the same bits with and without).

use super::{Maybe, Network};
use crate::encoder::Tile;
use crate::plan::LaneAxis;
use mckean_model::Role;
use mckean_num::lane::Lane;
use std::ops::Range;

/// Bytes that one thread may keep when lanes hold samples.
const BYTES: usize = 128 << 20;
/// States' worth of attended values that a sublayer may keep when lanes hold tokens: memory stays linear and small.
const STATES: usize = 3;

/// Most bytes that one thread keeps, for states of `state` bytes in `depth` blocks.
pub(crate) fn most(axis: LaneAxis, depth: usize, state: f64) -> f64 {
    match axis {
        LaneAxis::Samples => BYTES as f64,
        LaneAxis::Tokens => (depth * STATES) as f64 * state,
    }
}

/// Where each sublayer keeps its lanes; empty where there is no room or nothing to keep.
pub(super) fn ranges<V: Lane>(
    net: &Network,
    axis: LaneAxis,
    tile: Tile,
    (attention, feed_forward): (&Maybe<V>, &Maybe<V>),
) -> Vec<Range<usize>> {
    if net.stages.is_some() {
        return vec![0..0; net.sublayers.len()]; // a slice is evaluated several times, at other states
    }
    let mut end = 0;
    let mut place = |len: usize| {
        end += len;
        end - len..end
    };
    let mut left = BYTES / size_of::<V>();
    let mut one = |role: Role, particles: usize| {
        let encoder = if role == Role::Head { attention } else { feed_forward };
        let wanted = |each: usize| each * particles;
        let len = match (axis, encoder) {
            (LaneAxis::Samples, Some(e)) => Some(wanted(e.kept(&tile))).filter(|&len| len <= left),
            (LaneAxis::Tokens, Some(e)) if role == Role::Head => {
                Some(wanted(e.kept_long(&tile))).filter(|&len| len <= STATES * tile.len())
            }
            _ => None,
        };
        left -= if axis == LaneAxis::Samples { len.unwrap_or(0) } else { 0 };
        place(len.unwrap_or(0))
    };
    net.sublayers.iter().map(|s| one(s.role, s.particles)).collect()
}
