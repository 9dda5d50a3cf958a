//! Named tensors in safetensors files: checkpoints and arrays, read by NumPy, PyTorch and JAX.
//!
//! Maths: none; little-endian, row-major.
//! Shapes: any; a scalar has the empty shape. The number of values must be the product of the shape.
//! Cost: one copy of the data in memory on either way.
//! Checked: unit tests below (round trip, equal bytes for equal content, refusals); read once by hand with NumPy.

use crate::error::{ReportError, Result};
use crate::run_dir::atomic_write_with;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View, serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The values of a tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// 64-bit floating point.
    F64(Vec<f64>),
    /// 32-bit floating point.
    F32(Vec<f32>),
    /// Unsigned 64-bit.
    U64(Vec<u64>),
    /// Signed 64-bit.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
}

/// Applies one expression to the vector inside any [`TensorData`].
macro_rules! each_type {
    ($data:expr, $values:ident => $result:expr) => {
        match $data {
            TensorData::F64($values) => $result,
            TensorData::F32($values) => $result,
            TensorData::U64($values) => $result,
            TensorData::I64($values) => $result,
            TensorData::U8($values) => $result,
        }
    };
}

impl TensorData {
    /// Number of values.
    pub fn len(&self) -> usize {
        each_type!(self, values => values.len())
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, little-endian.
    fn bytes(&self) -> Vec<u8> {
        each_type!(self, values => values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn dtype(&self) -> Dtype {
        match self {
            Self::F64(_) => Dtype::F64,
            Self::F32(_) => Dtype::F32,
            Self::U64(_) => Dtype::U64,
            Self::I64(_) => Dtype::I64,
            Self::U8(_) => Dtype::U8,
        }
    }

    /// The values of a stored tensor; `None` for a type we do not write.
    fn of(view: &TensorView) -> Option<TensorData> {
        let bytes = view.data();
        Some(match view.dtype() {
            Dtype::F64 => Self::F64(words(bytes).map(f64::from_le_bytes).collect()),
            Dtype::F32 => Self::F32(words(bytes).map(f32::from_le_bytes).collect()),
            Dtype::U64 => Self::U64(words(bytes).map(u64::from_le_bytes).collect()),
            Dtype::I64 => Self::I64(words(bytes).map(i64::from_le_bytes).collect()),
            Dtype::U8 => Self::U8(bytes.to_vec()),
            _ => return None,
        })
    }
}

/// Consecutive groups of `N` bytes.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.chunks_exact(N).map(|word| word.try_into().expect("chunks of N"))
}

/// A tensor with its name; the name is unique in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// The name.
    pub name: String,
    /// Lengths of the axes, slowest first.
    pub shape: Vec<usize>,
    /// As many values as the product of the shape.
    pub data: TensorData,
}

impl NamedTensor {
    /// A tensor of f64.
    pub fn f64(name: impl Into<String>, shape: &[usize], data: Vec<f64>) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), data: TensorData::F64(data) }
    }

    /// Type and shape, as "F64 [2, 3]".
    fn describe(&self) -> String {
        format!("{:?} {:?}", self.data.dtype(), self.shape)
    }
}

impl View for &NamedTensor {
    fn dtype(&self) -> Dtype {
        self.data.dtype()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.bytes().into()
    }

    fn data_len(&self) -> usize {
        each_type!(&self.data, values => std::mem::size_of_val(values.as_slice()))
    }
}

/// The content of a tensor file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensors {
    path: PathBuf,
    /// The tensors, by name in ascending order.
    pub entries: Vec<NamedTensor>,
    /// Free text by key.
    pub metadata: BTreeMap<String, String>,
}

impl Tensors {
    /// The tensor of this name, any shape and type.
    ///
    /// # Errors
    /// There is none; the message lists the names there are.
    pub fn get(&self, name: &str) -> Result<&NamedTensor> {
        let found = self.entries.iter().find(|tensor| tensor.name == name);
        found.ok_or_else(|| ReportError::NoTensor {
            path: self.path.clone(),
            name: name.to_string(),
            available: self.available(),
        })
    }

    /// The f64 values of the tensor of this name and shape.
    ///
    /// # Errors
    /// There is none, or it has another shape or type; the message has both.
    pub fn f64(&self, name: &str, shape: &[usize]) -> Result<&[f64]> {
        let tensor = self.get(name)?;
        match &tensor.data {
            TensorData::F64(values) if tensor.shape == shape => Ok(values),
            _ => Err(self.mismatch(tensor, format!("F64 {shape:?}"))),
        }
    }

    /// The u64 values of the tensor of this name and shape.
    ///
    /// # Errors
    /// As [`Tensors::f64`].
    pub fn u64(&self, name: &str, shape: &[usize]) -> Result<&[u64]> {
        let tensor = self.get(name)?;
        match &tensor.data {
            TensorData::U64(values) if tensor.shape == shape => Ok(values),
            _ => Err(self.mismatch(tensor, format!("U64 {shape:?}"))),
        }
    }

    fn mismatch(&self, tensor: &NamedTensor, expected: String) -> ReportError {
        let (path, name) = (self.path.clone(), tensor.name.clone());
        ReportError::TensorMismatch { path, name, found: tensor.describe(), expected }
    }

    fn available(&self) -> String {
        let names: Vec<_> = self.entries.iter().take(8).map(|tensor| format!("`{}`", tensor.name)).collect();
        let more = self.entries.len() - names.len();
        match (names.is_empty(), more) {
            (true, _) => "nothing".to_string(),
            (_, 0) => names.join(", "),
            _ => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// Writes tensors and metadata to `path` in one step. Equal content gives equal bytes, whatever the order given.
///
/// # Errors
/// A name is used twice or reserved; a shape does not match its data; the file cannot be written.
pub fn save(path: impl AsRef<Path>, tensors: &[NamedTensor], metadata: &[(String, String)]) -> Result<()> {
    let path = path.as_ref();
    check(path, tensors)?;
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor));
    let plain = serialize(views, None).map_err(|error| bad(path, error.to_string()))?;
    let (header, body) = split(&plain);
    let header = with_metadata(header, metadata);
    atomic_write_with(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        file.write_all(body)
    })
}

/// Reads a tensor file.
///
/// # Errors
/// The file cannot be read, is torn or foreign, or holds a type other than those of [`TensorData`].
pub fn load(path: impl AsRef<Path>) -> Result<Tensors> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| ReportError::io("read", path, source))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| bad(path, error.to_string()))?;
    let mut entries = Vec::new();
    for (name, view) in file.iter() {
        let data = TensorData::of(&view)
            .ok_or_else(|| bad(path, format!("tensor `{name}` has the type {:?}", view.dtype())))?;
        entries.push(NamedTensor { name: name.to_string(), shape: view.shape().to_vec(), data });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| bad(path, error.to_string()))?;
    let metadata: HashMap<_, _> = header.metadata().clone().unwrap_or_default();
    Ok(Tensors { path: path.to_path_buf(), entries, metadata: metadata.into_iter().collect() })
}

fn bad(path: &Path, reason: String) -> ReportError {
    ReportError::BadTensorFile { path: path.to_path_buf(), reason }
}

fn check(path: &Path, tensors: &[NamedTensor]) -> Result<()> {
    let mut names = HashSet::new();
    for tensor in tensors {
        let (path, name, shape) = (path.to_path_buf(), tensor.name.clone(), tensor.shape.clone());
        let (needs, has) = (shape.iter().fold(1usize, |n, &axis| n.saturating_mul(axis)), tensor.data.len());
        if name == "__metadata__" {
            return Err(ReportError::BadTensorName { path, name, reason: "reserved" });
        } else if !names.insert(&tensor.name) {
            return Err(ReportError::BadTensorName { path, name, reason: "used twice" });
        } else if needs != has {
            return Err(ReportError::TensorLength { path, name, shape, needs, has });
        }
    }
    Ok(())
}

/// The header (JSON) and the body of a serialised file.
fn split(file: &[u8]) -> (&str, &[u8]) {
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("8 bytes")) as usize;
    let (header, body) = rest.split_at(length);
    (std::str::from_utf8(header).expect("JSON is UTF-8"), body)
}

/// The header with metadata in ascending order of key (the library's own order changes from call to call), padded with
/// spaces to a multiple of 8 bytes as the format recommends.
fn with_metadata(header: &str, metadata: &[(String, String)]) -> String {
    let sorted: BTreeMap<&str, &str> = metadata.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let json = serde_json::to_string(&sorted).expect("a map of strings is JSON");
    let tensors = header.trim_end().trim_start_matches('{');
    let mut merged = match (sorted.is_empty(), tensors) {
        (true, _) => format!("{{{tensors}"),
        (false, "}") => format!("{{\"__metadata__\":{json}}}"),
        (false, _) => format!("{{\"__metadata__\":{json},{tensors}"),
    };
    let padding = merged.len().next_multiple_of(8) - merged.len();
    merged.extend(std::iter::repeat_n(' ', padding));
    merged
}
