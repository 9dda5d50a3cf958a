//! Placeholder.
/// Keys.
pub fn for_run(_: &str, _: &mckean_model::ModelConfig, _: &mckean_dynamics::DynamicsConfig) -> Vec<&'static str> { vec![] }
/// Entries.
pub fn entries(_: &[&str]) -> Result<String, std::fmt::Error> { Ok(String::new()) }
/// All.
pub fn all() -> Vec<(String, String)> { vec![] }
