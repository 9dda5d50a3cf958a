//! Tensor files: what is saved is what is loaded, and equal content gives equal bytes.
//!
//! Maths: none.
//! Shapes: scalars, empty tensors, one to three axes.
//! Cost: milliseconds.
//! Checked: this is a test.

use mckean_report::tensors::{load, save};
use mckean_report::{NamedTensor, ReportError, TensorData};

fn tensor(name: &str, shape: &[usize], data: TensorData) -> NamedTensor {
    NamedTensor { name: name.into(), shape: shape.to_vec(), data }
}

fn sample() -> Vec<NamedTensor> {
    let odd = vec![0.1, -0.0, f64::NAN, f64::INFINITY, 5e-324, f64::MAX];
    vec![
        tensor("beta", &[3, 1, 2], TensorData::F64(odd)),
        tensor("tau", &[], TensorData::F64(vec![0.1 + 0.2])),
        tensor("single", &[2], TensorData::F32(vec![0.1, f32::NEG_INFINITY])),
        tensor("steps", &[1], TensorData::U64(vec![u64::MAX])),
        tensor("signed", &[2], TensorData::I64(vec![i64::MIN, 3])),
        tensor("bytes", &[3], TensorData::U8(vec![0, 7, 255])),
        tensor("empty", &[0, 4], TensorData::F64(vec![])),
    ]
}

fn metadata() -> Vec<(String, String)> {
    (0..12).map(|i| (format!("key {}", i * 7 % 12), format!("\"value\"\n{i} τ"))).collect()
}

#[test]
fn round_trip_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    save(&path, &sample(), &metadata()).unwrap();
    let back = load(&path).unwrap();
    assert_eq!(back.entries.len(), 7);
    for tensor in sample() {
        let found = back.get(&tensor.name).unwrap();
        assert_eq!(format!("{tensor:?}"), format!("{found:?}")); // NaN differs from itself
    }
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(back.f64("tau", &[]).unwrap()), bits(&[0.1 + 0.2]));
    assert_eq!(back.u64("steps", &[1]).unwrap(), [u64::MAX]);
    assert_eq!(back.metadata, metadata().into_iter().collect());
}

#[test]
fn equal_content_gives_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |i: usize| {
        let path = folder.path().join("b.safetensors");
        let (mut tensors, mut metadata) = (sample(), metadata());
        tensors.rotate_left(i % 7);
        metadata.rotate_left(i % 12);
        save(&path, &tensors, &metadata).unwrap();
        std::fs::read(&path).unwrap()
    };
    let first = bytes(0);
    assert_eq!(first.len() % 8, 3); // header and wide tensors are aligned; 3 loose bytes follow
    (1..50).for_each(|i| assert_eq!(bytes(i), first, "save number {i}"));
}

#[test]
fn a_file_without_tensors_or_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    for metadata in [vec![], metadata()] {
        save(&path, &[], &metadata).unwrap();
        let back = load(&path).unwrap();
        assert!(back.entries.is_empty());
        assert_eq!(back.metadata, metadata.into_iter().collect());
    }
}

#[test]
fn refusals_name_tensor_and_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.safetensors");
    let message = |tensors: &[NamedTensor]| save(&path, tensors, &[]).unwrap_err().to_string();
    let short = tensor("beta", &[2, 3], TensorData::F64(vec![1.0]));
    assert!(message(&[short]).contains("`beta` of shape [2, 3] needs 6 values but has 1"));
    let one = tensor("beta", &[1], TensorData::F64(vec![1.0]));
    assert!(message(&[one.clone(), one.clone()]).contains("used twice"));
    assert!(message(&[tensor("__metadata__", &[0], TensorData::U8(vec![]))]).contains("reserved"));
    assert!(!path.exists());
    save(&path, &[one], &[]).unwrap();
    let back = load(&path).unwrap();
    let other = back.f64("beta", &[4]).unwrap_err().to_string();
    assert!(other.contains("F64 [1]") && other.contains("F64 [4]"), "{other}");
    assert!(back.get("gamma").unwrap_err().to_string().contains("it holds `beta`"));
}

#[test]
fn torn_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.safetensors");
    save(&path, &sample(), &metadata()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 5, 8, 100, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(load(&path), Err(ReportError::BadTensorFile { .. })), "{length} bytes");
    }
    std::fs::write(&path, b"<html>not a tensor in sight</html>").unwrap();
    assert!(matches!(load(&path), Err(ReportError::BadTensorFile { .. })));
}
