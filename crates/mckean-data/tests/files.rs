//! Readers on real files, when they are at hand: in the folder of MCKEAN_DATA, or beside the repository.
//!
//! Maths: none.
//! Shapes: those of MNIST, CIFAR-10 and the UCI digits.
//! Cost: under a second; each test prints one line and returns when its files are not there.
//! Checked: these are tests; the counts are the published ones.

use mckean_data::{DataConfig, Dataset, Targets, load};
use std::path::{Path, PathBuf};

/// A file or folder of the data folder, or a line that says what is missing.
fn find(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("MCKEAN_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there (set MCKEAN_DATA to a folder with it)", path.display());
    None
}

fn config(name: &str, path: &Path) -> DataConfig {
    DataConfig { name: name.into(), path: path.to_str().unwrap().into(), ..DataConfig::default() }
}

fn counts(data: &Dataset) -> Vec<usize> {
    let Targets::Classes { labels, classes } = &data.targets else { panic!("values") };
    (0..*classes as u32).map(|c| labels.iter().filter(|&&l| l == c).count()).collect()
}

#[test]
fn mnist_has_its_published_counts() {
    let Some(path) = find("mnist") else { return };
    let split = load(&DataConfig { patch: 28, test: 100, ..config("idx", &path) }).unwrap();
    assert_eq!((split.train.samples, split.train.dim, split.test.unwrap().samples), (60_000, 784, 100));
    assert_eq!(counts(&split.train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
}

#[test]
fn the_small_cifar_archive_has_six_batches_of_one_hundred() {
    let Some(path) = find("cifar10/cifar-10-binary-mini.tar.gz") else { return };
    let split = load(&DataConfig { standardise: true, ..config("cifar10", &path) }).unwrap();
    let (train, test) = (split.train, split.test.unwrap());
    assert_eq!((train.samples, test.samples, train.tokens, train.dim), (500, 100, 64, 48));
    assert_eq!(counts(&train).iter().sum::<usize>(), 500);
    // the first labels of the official training and test sets: frog, truck, truck; cat, ship, ship
    let first = |d: &Dataset| d.take(0..3).one_hot_values();
    let one_hot = |labels: [usize; 3]| {
        let mut out = vec![0.0; 30];
        labels.iter().enumerate().for_each(|(i, l)| out[10 * i + l] = 1.0);
        out
    };
    assert_eq!((first(&train), first(&test)), (one_hot([6, 9, 9]), one_hot([3, 8, 8])));
    // per channel: entries 0..16 of a token are red
    for channel in 0..3 {
        let values = || train.inputs.chunks_exact(48).flat_map(|t| &t[16 * channel..16 * (channel + 1)]);
        let mean = values().sum::<f64>() / (500.0 * 1024.0);
        assert!(mean.abs() < 1e-10, "channel {channel}: {mean}");
    }
}

#[test]
fn the_python_archive_of_cifar_is_refused_with_advice() {
    let Some(path) = find("cifar10/cifar-10-python-mini.tar.gz") else { return };
    let text = load(&config("cifar10", &path)).unwrap_err().to_string();
    assert!(text.contains("Use the binary version of CIFAR-10"), "{text}");
}

#[test]
fn the_digits_file_read_as_a_table_is_the_embedded_set() {
    let Some(path) = find("digits/optdigits.tra") else { return };
    let table = load(&DataConfig { tokens: 64, ..config("csv", &path) }).unwrap().train;
    let embedded = load(&DataConfig { patch: 1, scale: false, ..DataConfig::default() }).unwrap().train;
    assert_eq!(table.inputs, embedded.inputs);
    assert_eq!(table.targets, embedded.targets);
}
