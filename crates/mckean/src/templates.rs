//! Configs to start from: the files of `examples/`, embedded.
//!
//! Maths: see each file.
//! Shapes: TOML text.
//! Cost: none.
//! Checked: tests below (all valid), `tests/runs.rs` (they run).

use crate::error::Error;

/// A config to start from.
pub struct Template {
    /// Name for `mckean new`.
    pub name: &'static str,
    /// One line about it.
    pub what: &'static str,
    /// TOML.
    pub text: &'static str,
}

/// All templates.
pub const ALL: [Template; 13] = [
    Template {
        name: "first",
        what: "in-context linear regression by gradient flow (seconds)",
        text: include_str!("../../../examples/first.toml"),
    },
    Template {
        name: "digits_mean_field",
        what: "the mean-field Transformer of Gao et al. 2024 on real digits",
        text: include_str!("../../../examples/digits_mean_field.toml"),
    },
    Template {
        name: "digits_vit",
        what: "a Vision Transformer on the same digits",
        text: include_str!("../../../examples/digits_vit.toml"),
    },
    Template {
        name: "teacher_student",
        what: "a student network learns a teacher of its own family",
        text: include_str!("../../../examples/teacher_student.toml"),
    },
    Template {
        name: "sweep_width",
        what: "a sweep over the number of heads",
        text: include_str!("../../../examples/sweep_width.toml"),
    },
    Template {
        name: "limit_mild",
        what: "the mean-field limit with an error bar: nearly lazy",
        text: include_str!("../../../examples/limit_mild.toml"),
    },
    Template {
        name: "limit_mid",
        what: "the mean-field limit with an error bar: features move",
        text: include_str!("../../../examples/limit_mid.toml"),
    },
    Template {
        name: "limit_strong",
        what: "the mean-field limit with an error bar: saturated softmax, fast growth",
        text: include_str!("../../../examples/limit_strong.toml"),
    },
    Template {
        name: "limit_atoms",
        what: "the mean-field limit of a law of eight atoms, to seven digits",
        text: include_str!("../../../examples/limit_atoms.toml"),
    },
    Template {
        name: "limit_mixture",
        what: "the mean-field limit of a law of two populations",
        text: include_str!("../../../examples/limit_mixture.toml"),
    },
    Template {
        name: "limit_depth_law",
        what: "the mean-field limit of a law that changes with depth",
        text: include_str!("../../../examples/limit_depth_law.toml"),
    },
    Template {
        name: "limit_grid",
        what: "the mean-field limit by finite volumes: tokens of dimension 1, no particles",
        text: include_str!("../../../examples/limit_grid.toml"),
    },
    Template {
        name: "stationary",
        what: "the risk at stationarity against the weight decay (mckean stationary)",
        text: include_str!("../../../examples/stationary.toml"),
    },
];

/// The text of a template.
///
/// # Errors
/// An unknown name.
pub fn find(name: &str) -> Result<&'static str, Error> {
    let found = ALL.iter().find(|t| t.name == name);
    found.map(|t| t.text).ok_or_else(|| Error::Value {
        key: "template".into(),
        value: name.into(),
        problem: format!("not a template. Known: {}", ALL.map(|t| t.name).join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_valid_config_of_its_name() {
        for t in ALL {
            let config = crate::Config::parse(t.text, t.name, &[]).unwrap();
            assert_eq!(config.name, t.name);
            crate::Problem::new(&config).unwrap();
        }
    }
}
