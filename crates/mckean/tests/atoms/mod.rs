//! The small problem of the tests of rates.
//!
//! Maths: none.
//! Shapes: 6 samples of 4 tokens in 4 dimensions, four atoms; M up to 65536, L up to 16.
//! Cost: none of its own.
//! Checked: by the tests that use it.

/// A law of four atoms and a small grid of networks.
pub const ATOMS: &str = r#"
name = "small"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 6
constant = false
token_scale = 0.75
[model]
readout_row = 2
[init]
law = "normal"
scale = 0.5
atoms = 4
[dynamics]
until = 1.0
weight_decay = 1e-3
[limit]
rtol = 1e-7
taus = [0.5, 1.0]
[rates]
widths = [64, 512, 4096, 65536]
depths = [4, 8, 16]
seeds = 40
"#;
