//! The initial law of a config, its file of particles read.
//!
//! Maths: none.
//! Shapes: a row of the file is a particle: the tensors of a head, then of a neuron, each row by row.
//! Cost: one read of the file.
//! Checked: `tests/laws.rs`.

use crate::error::Error;
use mckean_data::{DataError, format::rows};
use mckean_model::{InitConfig, Layout, Role, Tensor, init};
use std::path::Path;

/// `[init]` for particles of this layout: its file read into atoms, its shifts checked.
///
/// # Errors
/// Values out of range; shifts of tensors that are not there; a file that cannot be read, or whose columns are not those of a particle.
pub fn initial(config: &InitConfig, layout: &Layout) -> Result<InitConfig, Error> {
    config.check()?;
    init::law(config, layout).check()?;
    if config.particles.is_empty() {
        return Ok(config.clone());
    }
    let rows = rows::read(Path::new(&config.particles), &init::names(layout), &order(layout));
    let unreadable = |e| match e {
        DataError::File { path, source, .. } => Error::Value {
            key: "init.particles".into(),
            value: format!("{:?}", path.display().to_string()),
            problem: format!("cannot be read ({source}). A relative path starts at the current folder."),
        },
        other => other.into(),
    };
    let read = config.with_particles(rows.map_err(unreadable)?);
    read.check()?;
    Ok(read)
}

/// The columns in short: "v (4 x 4), w (4 x 4), w1 (1 x 4), w2 (4 x 1), each row by row".
fn order(layout: &Layout) -> String {
    let shape = |t: &Tensor| t.shape[1..].iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let one = |t: &Tensor| format!("{} ({})", t.leaf(), shape(t));
    let tensors = [Role::Head, Role::Neuron].into_iter().flat_map(|role| layout.particles(0, role));
    format!("the numbers of a particle: {}, each row by row", tensors.map(one).collect::<Vec<_>>().join(", "))
}
