//! `data.name = "cifar10"`: the binary version of CIFAR-10, as a folder, one .bin file or the .tar.gz archive.
//!
//! Maths: none.
//! Shapes: a record is 1 label byte (0..=9) and 3072 pixels, `[3][32][32]`: red, green, blue planes, each row-major.
//! Cost: one read; pixels stay bytes until they are used.
//! Checked: tests below and in `tests/readers.rs` (bad records, truncated archives, order of batches), `tests/files.rs`.

use super::bytes;
use crate::cut::ImageShape;
use crate::error::{bad_file, bad_format};
use crate::load::ImageFiles;
use crate::raw::{Numbers, Raw};
use crate::{DataConfig, DataError, Targets};
use std::path::{Path, PathBuf};

/// Bytes of a record.
pub const RECORD: usize = 3073;
/// Number of classes.
pub const CLASSES: usize = 10;
const SHAPE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };

/// Labels and pixels of some records, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// One label below 10 per record.
    pub labels: Vec<u32>,
    /// `[records][3][32][32]`.
    pub pixels: Vec<u8>,
}

impl Records {
    /// Appends the records in `bytes`; `file` is for messages.
    ///
    /// Errors: [`DataError::Format`] when the length is not a positive multiple of 3073 or a label is 10 or more.
    pub fn push(&mut self, bytes: &[u8], file: &str) -> Result<(), DataError> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
            let problem =
                format!("{} bytes are not a positive multiple of {RECORD}, the size of a record", bytes.len());
            return Err(bad_format(file, problem, "Use the binary version of CIFAR-10, complete and decompressed."));
        }
        if let Some(i) = bytes.chunks_exact(RECORD).position(|r| usize::from(r[0]) >= CLASSES) {
            let problem = format!("record {i} has the label {}, but classes are 0 to 9", bytes[i * RECORD]);
            return Err(bad_format(file, problem, "CIFAR-100 and other formats are not read here."));
        }
        self.pixels.reserve_exact(bytes.len() / RECORD * (RECORD - 1));
        for record in bytes.chunks_exact(RECORD) {
            self.labels.push(u32::from(record[0]));
            self.pixels.extend_from_slice(&record[1..]);
        }
        Ok(())
    }

    fn into_raw(self, file: String) -> Raw {
        let targets = Targets::Classes { labels: self.labels, classes: CLASSES };
        Raw { file, features: RECORD - 1, group: 32 * 32, full: 255.0, numbers: Numbers::Bytes(self.pixels), targets }
    }
}

/// Training batches in numeric order, and the test batch where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batches {
    /// All data_batch_*.bin.
    pub train: Records,
    /// test_batch.bin.
    pub test: Option<Records>,
}

/// Which file of CIFAR-10 a name is: `Some(number)` for data_batch_number.bin, `Some(0)` for test_batch.bin.
fn batch_number(name: &str) -> Option<u32> {
    if name == "test_batch.bin" {
        return Some(0);
    }
    let number = name.strip_prefix("data_batch_")?.strip_suffix(".bin")?;
    number.parse().ok().filter(|&n| n > 0 && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Batches from (number, name, bytes), in any order; `file` is for messages.
fn gather<B: AsRef<[u8]>>(mut parts: Vec<(u32, String, B)>, file: &str) -> Result<Batches, DataError> {
    parts.sort_by_key(|(number, ..)| *number);
    if let Some(twice) = parts.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(bad_format(file, format!("{} is there twice", twice[0].1), "Keep one of them."));
    }
    if parts.last().is_none_or(|(number, ..)| *number == 0) {
        return Err(bad_format(file, "no data_batch_1.bin and the like", BINARY_REMEDY));
    }
    let mut out = Batches::default();
    for (number, name, bytes) in &parts {
        let records = if *number == 0 { out.test.get_or_insert_default() } else { &mut out.train };
        records.push(bytes.as_ref(), &format!("{file} ({name})"))?;
    }
    Ok(out)
}

const BINARY_REMEDY: &str =
    "Use the binary version of CIFAR-10 (not the Python version); unpack .xz files with `xz -dk`.";

/// The batches of a decompressed tar archive; `file` is for messages.
///
/// Errors: [`DataError::Format`] for a truncated or damaged archive, one without batches, and bad records.
pub fn archive(bytes: &[u8], file: &str) -> Result<Batches, DataError> {
    let damaged = |e: std::io::Error| bad_format(file, format!("the tar archive is damaged or truncated ({e})"), AGAIN);
    let mut parts = Vec::new();
    for entry in tar::Archive::new(bytes).entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_string();
        let Some(number) = batch_number(&name).filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        parts.push((number, name, member(bytes, entry.raw_file_position(), entry.size(), file)?));
    }
    check_end(bytes, file)?;
    gather(parts, file)
}

const AGAIN: &str = "Download or copy it again.";

/// The bytes of a member, which must all be there.
fn member<'a>(bytes: &'a [u8], start: u64, size: u64, file: &str) -> Result<&'a [u8], DataError> {
    let range = usize::try_from(start).ok().zip(start.checked_add(size).and_then(|e| usize::try_from(e).ok()));
    range.and_then(|(a, b)| bytes.get(a..b)).ok_or_else(|| {
        bad_format(file, format!("the tar archive ends inside a member of {size} bytes, so it is truncated"), AGAIN)
    })
}

/// A complete tar archive ends with a block of zeros.
fn check_end(bytes: &[u8], file: &str) -> Result<(), DataError> {
    match bytes.len().checked_sub(512).map(|start| bytes[start..].iter().all(|&b| b == 0)) {
        Some(true) => Ok(()),
        _ => Err(bad_format(file, "the tar archive has no end mark, so it is truncated", AGAIN)),
    }
}

/// Reads what `data.path` (and `data.test_path`) name.
pub(crate) fn read(config: &DataConfig) -> Result<ImageFiles, DataError> {
    let path =
        config.need_path("path", "Name the folder, the .bin file or the .tar.gz of CIFAR-10 (binary version).")?;
    let mut batches = read_path(path, "path")?;
    if !config.test_path.is_empty() {
        batches.test = Some(read_path(Path::new(&config.test_path), "test_path")?.train);
    }
    let test = batches.test.map(|t| t.into_raw(format!("the test set of {}", path.display())));
    Ok(ImageFiles { shape: SHAPE, train: batches.train.into_raw(path.display().to_string()), test })
}

fn read_path(path: &Path, key: &'static str) -> Result<Batches, DataError> {
    if path.is_dir() {
        return read_folder(path, key);
    }
    let (name, bytes) = (path.display().to_string(), bytes::read(path, key)?);
    if [".tar", ".tar.gz", ".tgz"].iter().any(|end| name.ends_with(end)) {
        return archive(&bytes, &name);
    }
    let mut train = Records::default();
    train.push(&bytes, &name)?;
    Ok(Batches { train, test: None })
}

fn read_folder(folder: &Path, key: &'static str) -> Result<Batches, DataError> {
    let inner = folder.join("cifar-10-batches-bin");
    let folder = if inner.is_dir() { inner.as_path() } else { folder };
    let mut parts = Vec::new();
    let mut total = 0;
    for path in files_of(folder, key)? {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_string();
        let Some(number) = batch_number(&name) else {
            continue;
        };
        let bytes = bytes::read(&path, key)?;
        total += bytes.len() as u64;
        check_total(total, folder)?;
        parts.push((number, name, bytes));
    }
    gather(parts, &folder.display().to_string())
}

fn files_of(folder: &Path, key: &'static str) -> Result<Vec<PathBuf>, DataError> {
    let list = std::fs::read_dir(folder).and_then(|d| d.map(|e| e.map(|e| e.path())).collect());
    list.map_err(bad_file(folder, key))
}

fn check_total(total: u64, folder: &Path) -> Result<(), DataError> {
    match total <= bytes::MAX_FILE_BYTES {
        true => Ok(()),
        false => Err(DataError::TooLarge {
            what: folder.display().to_string(),
            size: format!("at least {total} bytes"),
            limit: format!("{} bytes", bytes::MAX_FILE_BYTES),
            remedy: "Leave out some batches.",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record whose pixels are all `pixel`.
    fn record(label: u8, pixel: u8) -> Vec<u8> {
        [vec![label], vec![pixel; RECORD - 1]].concat()
    }

    fn tar_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), bytes.as_slice()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn complaint(result: Result<Batches, DataError>) -> String {
        result.expect_err("should be refused").to_string()
    }

    fn small() -> Vec<u8> {
        tar_of(&[
            ("data_batch_10.bin", record(3, 3)),
            ("test_batch.bin", record(9, 9)),
            ("data_batch_2.bin", record(2, 2)),
            ("readme.html", b"hello".to_vec()),
            ("data_batch_1.bin", [record(0, 0), record(1, 1)].concat()),
        ])
    }

    #[test]
    fn batches_come_in_numeric_order() {
        let batches = archive(&small(), "c.tar").unwrap();
        assert_eq!(batches.train.labels, [0, 1, 2, 3]);
        assert!((0..4u8).all(|i| { batches.train.pixels[usize::from(i) * 3072..][..3072].iter().all(|&p| p == i) }));
        assert_eq!(batches.test.unwrap().labels, [9]);
    }

    #[test]
    fn names_that_only_look_like_batches_are_left_alone() {
        assert_eq!(batch_number("data_batch_12.bin"), Some(12));
        for name in ["data_batch_1", "data_batch_.bin", "data_batch_+1.bin", "data_batch_0.bin", "xdata_batch_1.bin"] {
            assert_eq!(batch_number(name), None, "{name}");
        }
    }

    #[test]
    fn every_truncation_of_the_archive_is_refused() {
        let good = small();
        for end in (0..good.len() - 1024).step_by(256) {
            let text = complaint(archive(&good[..end], "c.tar"));
            assert!(text.contains("truncated"), "{end}: {text}");
        }
    }

    #[test]
    fn bad_records_are_refused_with_their_place() {
        let mut records = Records::default();
        let text = records.push(&[record(0, 0), record(10, 0)].concat(), "b.bin").unwrap_err().to_string();
        assert!(text.contains("b.bin: record 1 has the label 10"), "{text}");
        assert!(records.push(&record(0, 0)[1..], "b.bin").unwrap_err().to_string().contains("3072 bytes"));
        assert!(records.push(&[], "b.bin").is_err());
        assert_eq!(records, Records::default());
        let text = complaint(archive(&tar_of(&[("data_batch_1.bin", vec![0; 100])]), "c.tar"));
        assert!(text.contains("c.tar (data_batch_1.bin): 100 bytes"), "{text}");
    }

    #[test]
    fn archives_without_batches_or_with_two_of_a_kind_are_refused() {
        assert!(complaint(archive(&tar_of(&[("data_batch_1", record(0, 0))]), "c.tar")).contains("Python"));
        assert!(
            complaint(archive(&tar_of(&[("test_batch.bin", record(0, 0))]), "c.tar")).contains("no data_batch_1.bin")
        );
        let twice = tar_of(&[("data_batch_1.bin", record(0, 0)), ("data_batch_1.bin", record(1, 1))]);
        assert!(complaint(archive(&twice, "c.tar")).contains("data_batch_1.bin is there twice"));
    }
}
