//! Readers of files through the front door, on small files written by the tests themselves.
//!
//! Maths: none.
//! Shapes: a few samples each.
//! Cost: milliseconds.
//! Checked: these are tests.

use flate2::{Compression, write::GzEncoder};
use mckean_data::{CsvTask, DataConfig, DataError, Dataset, Layout, Targets, load};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap();
    }
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(code: u8, dims: &[u32], payload: &[u8]) -> Vec<u8> {
    let sizes: Vec<u8> = dims.iter().flat_map(|d| d.to_be_bytes()).collect();
    [vec![0, 0, code, dims.len() as u8], sizes, payload.to_vec()].concat()
}

fn named(name: &str) -> DataConfig {
    DataConfig { name: name.into(), ..DataConfig::default() }
}

fn refused(config: &DataConfig) -> String {
    load(config).expect_err("should be refused").to_string()
}

fn labels(data: &Dataset) -> Vec<u32> {
    match &data.targets {
        Targets::Classes { labels, .. } => labels.clone(),
        Targets::Values { .. } => panic!("values"),
    }
}

/// Two 2 x 4 byte images with labels 1 and 6, gzipped, and the configuration that reads them.
fn idx_pair(folder: &TempDir) -> DataConfig {
    let pixels: Vec<u8> = (0..16).map(|k| k * 17).collect();
    let path = write(folder, "images.gz", &gzip(&idx(8, &[2, 2, 4], &pixels)));
    let labels_path = write(folder, "labels.gz", &gzip(&idx(8, &[2], &[1, 6])));
    DataConfig { path, labels_path, patch: 2, ..named("idx") }
}

#[test]
fn an_idx_pair_becomes_patches() {
    let folder = TempDir::new().unwrap();
    let data = load(&idx_pair(&folder)).unwrap().train;
    assert_eq!((data.samples, data.tokens, data.dim, data.outputs()), (2, 2, 4, 7));
    let expected = [0, 1, 4, 5, 2, 3, 6, 7].map(|k| f64::from(k * 17) / 255.0);
    assert!(data.inputs_of(0).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15));
    assert_eq!(labels(&data), [1, 6]);
}

#[test]
fn idx_floats_stay_as_they_are_and_planar_images_keep_their_channels() {
    let folder = TempDir::new().unwrap();
    let payload: Vec<u8> = (0..8).flat_map(|k| (k as f32 - 3.5).to_be_bytes()).collect();
    let path = write(&folder, "images", &idx(0x0d, &[1, 2, 2, 2], &payload));
    let labels_path = write(&folder, "labels", &idx(0x0c, &[1], &[0, 0, 0, 2]));
    let config = DataConfig { path, labels_path, patch: 1, ..named("idx") };
    let data = load(&config).unwrap().train;
    assert_eq!((data.tokens, data.dim, data.outputs()), (4, 2, 3));
    assert_eq!(data.inputs_of(0), [-3.5, 0.5, -2.5, 1.5, -1.5, 2.5, -0.5, 3.5]);
    assert!(refused(&DataConfig { layout: Layout::Pixels, ..config }).contains("needs integers from 0"));
}

#[test]
fn idx_not_a_number_is_refused_with_its_sample() {
    let folder = TempDir::new().unwrap();
    let payload: Vec<u8> = [1.0, 2.0, f64::NAN].iter().flat_map(|x: &f64| x.to_be_bytes()).collect();
    let path = write(&folder, "images", &idx(0x0e, &[3, 1], &payload));
    let labels_path = write(&folder, "labels", &idx(8, &[3], &[0, 1, 0]));
    let text = refused(&DataConfig { path, labels_path, patch: 1, ..named("idx") });
    assert!(text.contains("sample 2: input number 0 is NaN"), "{text}");
}

#[test]
fn a_folder_with_the_mnist_names_gives_both_sets_and_one_class_count() {
    let folder = TempDir::new().unwrap();
    write(&folder, "train-images-idx3-ubyte", &idx(8, &[2, 1, 1], &[0, 255]));
    write(&folder, "train-labels.idx1-ubyte.gz", &gzip(&idx(8, &[2], &[0, 1])));
    let path = folder.path().to_str().unwrap().to_string();
    let config = DataConfig { path, patch: 1, ..named("idx") };
    assert_eq!(load(&config).unwrap().test, None);
    write(&folder, "t10k-images.idx3-ubyte", &idx(8, &[1, 1, 1], &[51]));
    write(&folder, "t10k-labels-idx1-ubyte", &idx(8, &[1], &[4]));
    let split = load(&config).unwrap();
    let test = split.test.unwrap();
    assert_eq!((split.train.inputs.as_slice(), test.inputs.as_slice()), ([0.0, 1.0].as_slice(), [0.2].as_slice()));
    assert_eq!((split.train.outputs(), test.outputs()), (5, 5));
    std::fs::remove_file(folder.path().join("train-images-idx3-ubyte")).unwrap();
    assert!(refused(&config).contains("train-images-idx3-ubyte"));
}

#[test]
fn idx_files_that_do_not_belong_together_are_refused() {
    let folder = TempDir::new().unwrap();
    let good = idx_pair(&folder);
    let with = |bytes: &[u8]| {
        let labels_path = write(&folder, "other", bytes);
        refused(&DataConfig { labels_path, ..good.clone() })
    };
    assert!(with(&idx(8, &[3], &[1, 2, 3])).contains("labels of sizes [3] do not go with the 2 images"));
    assert!(with(&idx(8, &[2, 1], &[1, 2])).contains("labels of sizes [2, 1]"));
    assert!(with(&idx(9, &[2], &[1, 255])).contains("label 1 is -1"));
    assert!(with(b"hello").contains("not an IDX file"));
    let swapped = DataConfig { path: good.labels_path.clone(), labels_path: good.path.clone(), ..good.clone() };
    assert!(refused(&swapped).contains("Are images and labels swapped?"));
    assert!(matches!(
        load(&DataConfig { labels_path: String::new(), ..good.clone() }),
        Err(DataError::MissingKey { key: "labels_path", .. })
    ));
    let half = DataConfig { test_path: good.path.clone(), ..good.clone() };
    assert!(matches!(load(&half), Err(DataError::MissingKey { key: "test_labels_path", .. })));
    let small = write(&folder, "small", &idx(8, &[2, 2, 2], &[0; 8]));
    let text = refused(&DataConfig { test_path: small, test_labels_path: good.labels_path.clone(), ..good.clone() });
    assert!(text.contains("holds 1 x 2 x 2 images, but the training images are 1 x 2 x 4"), "{text}");
    let empty = write(&folder, "empty", &idx(8, &[0, 2, 2], &[]));
    assert!(refused(&DataConfig { path: empty, ..good }).contains("hold no pixels"));
}

/// A CIFAR-10 record: red plane r, green plane g, blue plane b, and pixel (0, 1) of the red plane set to 255.
fn record(label: u8, [r, g, b]: [u8; 3]) -> Vec<u8> {
    let mut out = [vec![label], vec![r; 1024], vec![g; 1024], vec![b; 1024]].concat();
    out[2] = 255;
    out
}

#[test]
fn cifar_patches_hold_one_plane_after_the_other() {
    let folder = TempDir::new().unwrap();
    write(&folder, "data_batch_2.bin", &record(2, [0; 3]));
    write(&folder, "data_batch_10.bin", &record(9, [0; 3]));
    write(&folder, "data_batch_1.bin", &record(1, [51, 102, 153]));
    write(&folder, "test_batch.bin", &record(7, [0; 3]));
    let config = DataConfig { path: folder.path().to_str().unwrap().into(), patch: 16, ..named("cifar10") };
    let split = load(&config).unwrap();
    let data = &split.train;
    assert_eq!((data.samples, data.tokens, data.dim, data.outputs()), (3, 4, 768, 10));
    assert_eq!((labels(data), labels(&split.test.unwrap())), (vec![1, 2, 9], vec![7]));
    let token = &data.inputs_of(0)[..768];
    assert_eq!([token[0], token[1], token[256], token[767]], [0.2, 1.0, 0.4, 0.6]);
    assert_eq!(data.inputs_of(0)[768 + 1], 0.2);
}

#[test]
fn cifar_as_one_file_as_an_inner_folder_and_as_an_archive() {
    let folder = TempDir::new().unwrap();
    let both = [record(1, [0; 3]), record(2, [0; 3])].concat();
    let path = write(&folder, "cifar-10-batches-bin/data_batch_1.bin", &both);
    let one = DataConfig { path: path.clone(), test: 1, ..named("cifar10") };
    let split = load(&one).unwrap();
    assert_eq!((labels(&split.train), split.test.map(|t| labels(&t))), (vec![1], Some(vec![2])));
    let with_test = load(&DataConfig { test_path: path, ..one.clone() }).unwrap();
    assert_eq!((labels(&with_test.train), with_test.test.map(|t| labels(&t))), (vec![1, 2], Some(vec![1])));
    let outer = DataConfig { path: folder.path().to_str().unwrap().into(), ..named("cifar10") };
    assert_eq!(labels(&load(&outer).unwrap().train), [1, 2]);

    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all("cifar-10-batches-bin", folder.path().join("cifar-10-batches-bin")).unwrap();
    let packed = gzip(&builder.into_inner().unwrap());
    let path = write(&folder, "c.tar.gz", &packed);
    assert_eq!(labels(&load(&DataConfig { path, ..named("cifar10") }).unwrap().train), [1, 2]);
    let path = write(&folder, "short.tar.gz", &packed[..packed.len() / 2]);
    assert!(refused(&DataConfig { path, ..named("cifar10") }).contains("truncated"));
}

#[test]
fn cifar_folders_without_batches_and_bad_files_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap().to_string();
    assert!(refused(&DataConfig { path, ..named("cifar10") }).contains("xz -dk"));
    let path = write(&folder, "x.bin", &record(10, [0; 3]));
    assert!(refused(&DataConfig { path, ..named("cifar10") }).contains("label 10"));
    let text = refused(&DataConfig { path: "no/such.bin".into(), ..named("cifar10") });
    assert!(text.contains("no/such.bin") && text.contains("data.path"), "{text}");
}

#[test]
fn a_table_is_cut_into_tokens() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "t.csv.gz", &gzip(b"a,b,c,d,kind\n1,2,3,4,x\n5,6,7,8,y\n0,0,0,0,x\n"));
    let config = DataConfig { path, has_header: true, tokens: 2, test: 1, ..named("csv") };
    let split = load(&config).unwrap();
    assert_eq!((split.train.tokens, split.train.dim, split.train.outputs()), (2, 2, 2));
    assert_eq!(split.train.inputs, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    assert_eq!((labels(&split.train), labels(&split.test.unwrap())), (vec![0, 1], vec![0]));
    assert!(refused(&DataConfig { tokens: 3, ..config.clone() }).contains("Choose one of 1, 2, 4."));
    assert!(refused(&DataConfig { layout: Layout::Pixels, ..config }).contains("is for images"));
}

#[test]
fn a_table_of_values_with_a_test_table() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "t.tsv", b"0.5\t1\n-1\t2\n");
    let test_path = write(&folder, "u.tsv", b"4\t3\n");
    let config = DataConfig { path, test_path, label_column: "first".into(), task: CsvTask::Values, ..named("csv") };
    let split = load(&config).unwrap();
    assert_eq!(split.train.targets, Targets::Values { data: vec![0.5, -1.0], outputs: 1 });
    assert_eq!(split.test.unwrap().inputs, [3.0]);
    let wide = write(&folder, "v.tsv", b"4\t3\t2\n");
    let text = refused(&DataConfig { test_path: wide, ..config.clone() });
    assert!(text.contains("has 2 features per row, but the training table has 1"), "{text}");
    assert!(refused(&DataConfig { task: CsvTask::Classes, ..config }).contains("line 1, column 1: the label \"0.5\""));
}

#[test]
fn files_that_are_not_there_name_their_key() {
    let folder = TempDir::new().unwrap();
    let good = write(&folder, "t.csv", b"1,2\n");
    for (config, key) in [
        (DataConfig { path: "gone.csv".into(), ..named("csv") }, "data.path"),
        (DataConfig { path: good, test_path: "gone.csv".into(), ..named("csv") }, "data.test_path"),
        (DataConfig { labels_path: "gone.idx".into(), ..idx_pair(&folder) }, "data.labels_path"),
    ] {
        let text = refused(&config);
        assert!(text.contains("gone") && text.contains(key), "{text}");
    }
    assert!(!Path::new("gone.csv").exists());
}
