//! Unknown keys, and overrides of the form `key=value`.
//!
//! Maths: none.
//! Shapes: tables of TOML.
//! Cost: a millisecond.
//! Checked: tests of `config`, `tests/bad_input.rs`, `mckean-cli/tests/words.rs`.

use crate::error::Error;
use crate::keys;

/// Refuses keys that nobody knows.
pub(super) fn refuse_unknown(table: &toml::Table, source_name: &str) -> Result<(), Error> {
    let (known, sections) = (keys::all(), keys::sections());
    let mut paths = vec![];
    flatten(table, "", &mut paths);
    let is_known = |p: &str, empty: bool| {
        known.iter().any(|k| k.path == p || p.starts_with("sweep.grid")) || (empty && sections.iter().any(|s| s == p))
    };
    match paths.into_iter().find(|(p, empty)| !is_known(p, *empty)) {
        Some((key, true)) => {
            let nearest = keys::nearest_section(&key);
            Err(Error::UnknownKey { source_name: source_name.into(), nearest, key })
        }
        Some((key, false)) => Err(unknown(source_name, key)),
        None => Ok(()),
    }
}

/// Refuses a key nobody knows, or a section given as a value.
fn unknown(source_name: &str, key: String) -> Error {
    let source_name = source_name.into();
    if keys::sections().contains(&key) {
        let problem =
            format!("{key} is a section: write [{key}] and its keys below it, or one of them as {key}.KEY = ...");
        return Error::Syntax { source_name, problem };
    }
    Error::UnknownKey { source_name, nearest: keys::nearest(&key), key }
}

/// Every path below `table`, and whether it is that of an empty section.
fn flatten(table: &toml::Table, prefix: &str, paths: &mut Vec<(String, bool)>) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(t) if path != "sweep.grid" && !t.is_empty() => flatten(t, &path, paths),
            other => paths.push((path, other.is_table())),
        }
    }
}

/// Applies one `key=value`; a value that is not TOML is taken as a string.
pub(super) fn apply(table: &mut toml::Table, set: &str) -> Result<(), Error> {
    let wrong =
        || Error::Syntax { source_name: "--set".into(), problem: format!("\"{set}\" is not of the form key=value") };
    let (key, value) = set.split_once('=').ok_or_else(wrong)?;
    let (key, value) = (key.trim(), value.trim());
    let parsed = format!("x = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("x"));
    insert(table, key, parsed.unwrap_or_else(|| toml::Value::String(value.into())), "--set")
}

/// Puts a list of values into the grid under the key it varies, with or without quotes around it.
fn insert_grid(table: &mut toml::Table, key: &str, value: toml::Value, source_name: &str) -> Result<(), Error> {
    let key = key.trim_matches('"');
    if !keys::all().iter().any(|k| k.path == key) {
        let nearest = format!("sweep.grid.{}", keys::nearest(key));
        return Err(Error::UnknownKey { source_name: source_name.into(), key: format!("sweep.grid.{key}"), nearest });
    }
    let empty = || toml::Value::Table(toml::Table::new());
    let sweep = table.entry("sweep").or_insert_with(empty).as_table_mut();
    let grid = sweep.and_then(|s| s.entry("grid").or_insert_with(empty).as_table_mut());
    let problem = "\"sweep.grid\" is not a section".to_string();
    grid.ok_or(Error::Syntax { source_name: source_name.into(), problem })?.insert(key.into(), value);
    Ok(())
}

/// Puts a value at the path `key`, making the sections above it.
pub(super) fn insert(table: &mut toml::Table, key: &str, value: toml::Value, source_name: &str) -> Result<(), Error> {
    if let Some(varied) = key.strip_prefix("sweep.grid.") {
        return insert_grid(table, varied, value, source_name);
    }
    if !keys::all().iter().any(|k| k.path == key) {
        return Err(unknown(source_name, key.into()));
    }
    let value = integer_as_number(key, value);
    let (sections, leaf) = key.rsplit_once('.').map_or((None, key), |(s, l)| (Some(s), l));
    let mut place = table;
    for section in sections.into_iter().flat_map(|s| s.split('.')) {
        let entry = place.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let not_table =
            || Error::Syntax { source_name: source_name.into(), problem: format!("\"{section}\" is not a section") };
        place = entry.as_table_mut().ok_or_else(not_table)?;
    }
    place.insert(leaf.into(), value);
    Ok(())
}

/// `1` for a key that holds a number with a point is meant as `1.0`.
fn integer_as_number(key: &str, value: toml::Value) -> toml::Value {
    let number = keys::all().iter().any(|k| k.path == key && k.kind == "number");
    match value {
        toml::Value::Integer(i) if number => toml::Value::Float(i as f64),
        other => other,
    }
}
