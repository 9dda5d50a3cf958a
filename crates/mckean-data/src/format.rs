//! Checked readers of foreign bytes: IDX, CIFAR-10 (binary) and tables, each plain or compressed.
//!
//! Maths: none.
//! Shapes: each reader states its own; the parsers take bytes in memory, so that they can be fuzzed.
//! Cost: one pass; every size in a header is checked against the bytes that are there before memory is taken.
//! Checked: property and malice tests beside each parser, `tests/readers.rs`, `tests/files.rs`.

pub mod bytes;
pub mod cifar;
pub mod idx;
pub(crate) mod idx_files;
pub mod rows;
pub mod table;
pub(crate) mod table_files;
