//! IDX, the format of MNIST: a type, a few sizes, numbers.
//!
//! Maths: none.
//! Shapes: bytes 0 0 TYPE RANK, RANK big-endian u32 sizes, then their product of big-endian numbers, row-major.
//! Cost: O(RANK) to open; numbers are decoded when they are asked for.
//! Checked: tests below (round trip of every type by property test; truncated, huge, foreign, trailing bytes).

use crate::DataError;
use crate::error::bad_format;

/// Most axes that are read.
pub const MAX_RANK: usize = 4;

/// Type of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdxKind {
    /// 0x08.
    U8,
    /// 0x09.
    I8,
    /// 0x0b.
    I16,
    /// 0x0c.
    I32,
    /// 0x0d.
    F32,
    /// 0x0e.
    F64,
}

impl IdxKind {
    /// The type with this code in byte 2 of a file.
    pub fn from_code(code: u8) -> Option<IdxKind> {
        Some(match code {
            0x08 => IdxKind::U8,
            0x09 => IdxKind::I8,
            0x0b => IdxKind::I16,
            0x0c => IdxKind::I32,
            0x0d => IdxKind::F32,
            0x0e => IdxKind::F64,
            _ => return None,
        })
    }

    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            IdxKind::U8 | IdxKind::I8 => 1,
            IdxKind::I16 => 2,
            IdxKind::I32 | IdxKind::F32 => 4,
            IdxKind::F64 => 8,
        }
    }

    /// The number in the first `size` bytes of `b` (big-endian).
    fn decode(self, b: &[u8]) -> f64 {
        match self {
            IdxKind::U8 => f64::from(b[0]),
            IdxKind::I8 => f64::from(i8::from_be_bytes([b[0]])),
            IdxKind::I16 => f64::from(i16::from_be_bytes([b[0], b[1]])),
            IdxKind::I32 => f64::from(i32::from_be_bytes([b[0], b[1], b[2], b[3]])),
            IdxKind::F32 => f64::from(f32::from_be_bytes([b[0], b[1], b[2], b[3]])),
            IdxKind::F64 => f64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]),
        }
    }
}

/// A checked IDX file in memory.
#[derive(Clone, Debug)]
pub struct Idx {
    /// Type of the numbers.
    pub kind: IdxKind,
    /// Sizes, 1 to 4 of them.
    pub dims: Vec<usize>,
    bytes: Vec<u8>,
    start: usize,
}

impl Idx {
    /// How many numbers there are (the product of the sizes).
    pub fn len(&self) -> usize {
        (self.bytes.len() - self.start) / self.kind.size()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number `k` in row-major order. Panics if `k >= len()`, as indexing does.
    pub fn number(&self, k: usize) -> f64 {
        self.kind.decode(&self.bytes[self.start + k * self.kind.size()..])
    }
}

/// Opens decompressed bytes; `file` is for messages.
///
/// Errors: [`DataError::Format`] for another format, an unknown type, no or more than four sizes, and a payload that is
/// shorter or longer than the sizes say. Nothing is allocated by what the header claims.
pub fn parse(bytes: Vec<u8>, file: &str) -> Result<Idx, DataError> {
    let &[0, 0, code, rank, ..] = bytes.as_slice() else {
        return Err(foreign(&bytes, file));
    };
    let Some(kind) = IdxKind::from_code(code) else {
        let problem =
            format!("byte 2 gives the number type {code:#04x}, but IDX has 0x08, 0x09, 0x0b, 0x0c, 0x0d and 0x0e");
        return Err(bad_format(file, problem, "Check that this is an IDX file."));
    };
    let rank = usize::from(rank);
    if rank == 0 || rank > MAX_RANK {
        return Err(bad_format(file, format!("byte 3 gives {rank} sizes"), "Files with 1 to 4 sizes can be read."));
    }
    let start = 4 + 4 * rank;
    let Some(header) = bytes.get(4..start) else {
        let problem = format!("the file ends inside its header: {} bytes of {start}", bytes.len());
        return Err(bad_format(file, problem, "Download or copy it again."));
    };
    let dims: Vec<usize> =
        header.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
    check_payload(&dims, kind, bytes.len() - start, file)?;
    Ok(Idx { kind, dims, bytes, start })
}

fn foreign(bytes: &[u8], file: &str) -> DataError {
    let problem = format!("not an IDX file: it starts with the bytes {:02x?}", &bytes[..bytes.len().min(4)]);
    bad_format(
        file,
        problem,
        "IDX starts with 00 00, a type and the number of sizes; check data.path and data.labels_path.",
    )
}

/// The product of the sizes must be exactly the bytes that follow.
fn check_payload(dims: &[usize], kind: IdxKind, found: usize, file: &str) -> Result<(), DataError> {
    let expected = dims.iter().try_fold(kind.size() as u128, |a, &d| a.checked_mul(d as u128));
    if expected == Some(found as u128) {
        return Ok(());
    }
    let needed = expected.map_or("more bytes than can be counted".into(), |e| format!("{e} bytes"));
    let verdict = if expected.is_some_and(|e| e < found as u128) { "has trailing bytes" } else { "is truncated" };
    let problem = format!("the sizes {dims:?} need {needed}, but {found} follow the header, so the file {verdict}");
    Err(bad_format(file, problem, "Download or copy it again."))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The bytes of an IDX file.
    pub(crate) fn encode(code: u8, dims: &[u32], payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, code, dims.len() as u8];
        out.extend(dims.iter().flat_map(|d| d.to_be_bytes()));
        out.extend_from_slice(payload);
        out
    }

    fn complaint(bytes: Vec<u8>) -> String {
        parse(bytes, "x.idx").expect_err("should be refused").to_string()
    }

    fn numbers(bytes: Vec<u8>) -> Vec<f64> {
        let idx = parse(bytes, "x.idx").unwrap();
        (0..idx.len()).map(|k| idx.number(k)).collect()
    }

    #[test]
    fn every_type_is_read_as_written() {
        let be = |x: &[f64]| x.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(numbers(encode(0x08, &[2], &[7, 255])), [7.0, 255.0]);
        assert_eq!(numbers(encode(0x09, &[2], &[7, 255])), [7.0, -1.0]);
        assert_eq!(numbers(encode(0x0b, &[1], &[0xff, 0xfe])), [-2.0]);
        assert_eq!(numbers(encode(0x0c, &[1], &[0, 1, 0, 0])), [65536.0]);
        assert_eq!(numbers(encode(0x0d, &[1], &1.5f32.to_be_bytes())), [1.5]);
        assert_eq!(numbers(encode(0x0e, &[1, 2], &be(&[0.1, -2e300]))), [0.1, -2e300]);
    }

    proptest! {
        #[test]
        fn bytes_survive_the_round_trip(a in 1u32..5, b in 1u32..6, c in 1u32..7, seed: u8) {
            let payload: Vec<u8> = (0..a * b * c).map(|k| (k as u8).wrapping_mul(37).wrapping_add(seed)).collect();
            let idx = parse(encode(0x08, &[a, b, c], &payload), "x.idx").unwrap();
            prop_assert_eq!(&idx.dims, &[a as usize, b as usize, c as usize]);
            let back: Vec<u8> = (0..idx.len()).map(|k| idx.number(k) as u8).collect();
            prop_assert_eq!(back, payload);
        }

        #[test]
        fn i32_survive_the_round_trip(x in proptest::collection::vec(any::<i32>(), 0..20)) {
            let payload: Vec<u8> = x.iter().flat_map(|v| v.to_be_bytes()).collect();
            let back = numbers(encode(0x0c, &[x.len() as u32], &payload));
            prop_assert_eq!(back, x.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..40), valid: bool) {
            if valid && bytes.len() > 4 {
                bytes[..4].copy_from_slice(&[0, 0, 8, 2]);
            }
            if let Ok(idx) = parse(bytes, "x.idx") {
                prop_assert_eq!(idx.len(), idx.dims.iter().product::<usize>());
            }
        }
    }

    #[test]
    fn every_truncation_and_every_trailing_byte_is_refused() {
        let good = encode(0x08, &[2, 3], &[1, 2, 3, 4, 5, 6]);
        parse(good.clone(), "x.idx").unwrap();
        for end in 0..good.len() {
            complaint(good[..end].to_vec());
        }
        assert!(complaint(good[..good.len() - 1].to_vec()).contains("is truncated"));
        assert!(complaint([good, vec![0]].concat()).contains("has trailing bytes"));
    }

    #[test]
    fn huge_sizes_and_foreign_headers_are_refused() {
        assert!(complaint(encode(0x08, &[u32::MAX; 4], &[1; 8])).contains("is truncated"));
        assert!(complaint(encode(0x0e, &[u32::MAX; 4], &[1; 8])).contains("is truncated"));
        assert!(
            complaint(b"\x89PNG....".to_vec()).contains("not an IDX file: it starts with the bytes [89, 50, 4e, 47]")
        );
        assert!(complaint(encode(0x0a, &[1], &[1])).contains("0x0a"));
        assert!(complaint(encode(0x08, &[], &[1])).contains("0 sizes"));
        assert!(complaint(encode(0x08, &[1; 5], &[1])).contains("5 sizes"));
    }
}
