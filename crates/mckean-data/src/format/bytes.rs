//! The bytes of a file, decompressed when they are gzip, never more than a limit.
//!
//! Maths: none.
//! Shapes: a flat byte vector.
//! Cost: one read; memory is that of the decompressed bytes.
//! Checked: tests below (truncated, corrupt, bombs, missing files).

use crate::DataError;
use crate::error::{bad_file, bad_format};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Most bytes that a file may hold after decompression (2 GiB).
pub const MAX_FILE_BYTES: u64 = 1 << 31;

/// Reads the file that `data.<key>` names; gzip is recognised by its first two bytes.
///
/// Errors: [`DataError::File`] when it cannot be opened, [`DataError::TooLarge`], [`DataError::Format`] when the
/// compressed stream is truncated or corrupt.
pub fn read(path: &Path, key: &'static str) -> Result<Vec<u8>, DataError> {
    read_limited(path, key, MAX_FILE_BYTES)
}

fn read_limited(path: &Path, key: &'static str, limit: u64) -> Result<Vec<u8>, DataError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(bad_file(path, key))?;
    let size = file.metadata().map_err(bad_file(path, key))?.len();
    if size > limit {
        return Err(too_large(&name, size, limit));
    }
    let raw = at_most(file, limit, &name).map_err(bad_file(path, key))??;
    if is_gzip(&raw) { inflate(&raw, &name, limit) } else { Ok(raw) }
}

/// Whether the bytes begin as gzip does.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Decompresses all members of a gzip stream, `limit` bytes at most; `file` is for messages.
pub fn inflate(bytes: &[u8], file: &str, limit: u64) -> Result<Vec<u8>, DataError> {
    at_most(MultiGzDecoder::new(bytes), limit, file).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => {
            bad_format(file, "the gzip stream ends too early, so the file is truncated", "Download or copy it again.")
        }
        _ => bad_format(file, format!("the gzip stream is corrupt ({e})"), "Download or copy it again."),
    })?
}

/// Everything in `reader`, or [`DataError::TooLarge`] as soon as it passes `limit` bytes.
fn at_most(reader: impl Read, limit: u64, file: &str) -> std::io::Result<Result<Vec<u8>, DataError>> {
    let mut out = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut out)?;
    let size = out.len() as u64;
    Ok(if size > limit { Err(too_large(file, size, limit)) } else { Ok(out) })
}

fn too_large(file: &str, size: u64, limit: u64) -> DataError {
    DataError::TooLarge {
        what: file.into(),
        size: format!("at least {size} bytes"),
        limit: format!("{limit} bytes"),
        remedy: "Split the file.",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn stored(bytes: &[u8], limit: u64) -> Result<Vec<u8>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bin");
        std::fs::write(&path, bytes).unwrap();
        read_limited(&path, "path", limit)
    }

    #[test]
    fn plain_and_compressed_bytes_are_the_same() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(stored(&bytes, 256).unwrap(), bytes);
        assert_eq!(stored(&gzip(&bytes), 512).unwrap(), bytes);
        let two = [gzip(&bytes[..100]), gzip(&bytes[100..])].concat();
        assert_eq!(inflate(&two, "x", 256).unwrap(), bytes);
    }

    #[test]
    fn every_truncation_and_every_flipped_check_sum_is_refused() {
        let packed = gzip(b"some text, some text, some text");
        for end in 2..packed.len() {
            let text = inflate(&packed[..end], "x.gz", 100).unwrap_err().to_string();
            assert!(text.starts_with("x.gz: the gzip stream"), "{end}: {text}");
        }
        let mut flipped = packed.clone();
        let crc = packed.len() - 8;
        flipped[crc] ^= 1;
        assert!(inflate(&flipped, "x.gz", 100).unwrap_err().to_string().contains("corrupt"));
    }

    #[test]
    fn limits_hold_for_plain_files_and_for_bombs() {
        assert!(matches!(stored(&[0; 101], 100), Err(DataError::TooLarge { .. })));
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(bomb.len() < 10_000);
        assert!(matches!(stored(&bomb, 10_000), Err(DataError::TooLarge { .. })));
    }

    #[test]
    fn a_missing_file_names_the_key() {
        let text = read(Path::new("no/such/file"), "labels_path").unwrap_err().to_string();
        assert!(text.contains("no/such/file") && text.contains("data.labels_path"), "{text}");
    }
}
