//! The claims that come with the program.
//!
//! Maths: each file states its own.
//! Shapes: name and text.
//! Cost: none.
//! Checked: tests of `claim`.

/// Claims that come with the program: file name without `.toml`, text.
pub(super) const EMBEDDED: &[(&str, &str)] = &[
    ("gao2024-eq2.8-velocity", include_str!("../../../../claims/gao2024-eq2.8-velocity.toml")),
    ("gao2024-prop3.1-variation", include_str!("../../../../claims/gao2024-prop3.1-variation.toml")),
    ("gao2024-eq3.5-dissipation", include_str!("../../../../claims/gao2024-eq3.5-dissipation.toml")),
    ("gao2024-prop3.2-moment", include_str!("../../../../claims/gao2024-prop3.2-moment.toml")),
    ("gao2024-prop3.3", include_str!("../../../../claims/gao2024-prop3.3.toml")),
    ("gao2024-thm4.1-lambda", include_str!("../../../../claims/gao2024-thm4.1-lambda.toml")),
    ("gao2024-lemE.1", include_str!("../../../../claims/gao2024-lemE.1.toml")),
    ("gao2024-f7-adjoint", include_str!("../../../../claims/gao2024-f7-adjoint.toml")),
    ("gao2024-propG.1-assumptions", include_str!("../../../../claims/gao2024-propG.1-assumptions.toml")),
    ("gao2024-lemD.6-width", include_str!("../../../../claims/gao2024-lemD.6-width.toml")),
    ("gao2024-thm3.1-width", include_str!("../../../../claims/gao2024-thm3.1-width.toml")),
    ("gao2024-thm3.1-depth", include_str!("../../../../claims/gao2024-thm3.1-depth.toml")),
    ("gao2024-thm3.1-chaos", include_str!("../../../../claims/gao2024-thm3.1-chaos.toml")),
    ("gao2024-thm3.1-chaos-depth", include_str!("../../../../claims/gao2024-thm3.1-chaos-depth.toml")),
    ("gao2024-thm3.1-narrow", include_str!("../../../../claims/gao2024-thm3.1-narrow.toml")),
    ("gao2024-thm3.1-narrow-outputs", include_str!("../../../../claims/gao2024-thm3.1-narrow-outputs.toml")),
    ("gao2024-lemD.3", include_str!("../../../../claims/gao2024-lemD.3.toml")),
    ("gao2024-lemC.7-moment", include_str!("../../../../claims/gao2024-lemC.7-moment.toml")),
    ("gao2024-flow-continuity", include_str!("../../../../claims/gao2024-flow-continuity.toml")),
    ("gao2024-fails-narrow", include_str!("../../../../claims/gao2024-fails-narrow.toml")),
    ("gao2024-fails-tokens", include_str!("../../../../claims/gao2024-fails-tokens.toml")),
    ("gao2024-fails-undamped", include_str!("../../../../claims/gao2024-fails-undamped.toml")),
    ("gao2024-fails-thin", include_str!("../../../../claims/gao2024-fails-thin.toml")),
    ("gao2024-fails-late", include_str!("../../../../claims/gao2024-fails-late.toml")),
];
