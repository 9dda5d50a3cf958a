//! The embedded digits through the front door: published counts, patches, pixels, shuffling.
//!
//! Maths: none.
//! Shapes: 3823 + 1797 images of 8 x 8.
//! Cost: some 20 ms per load.
//! Checked: these are tests; the counts are those of the UCI repository.

use mckean_data::{DataConfig, DataError, Dataset, Layout, Split, Targets, load};

fn digits(config: DataConfig) -> Split {
    load(&config).unwrap()
}

fn labels(data: &Dataset) -> &[u32] {
    match &data.targets {
        Targets::Classes { labels, classes: 10 } => labels,
        other => panic!("not ten classes: {other:?}"),
    }
}

fn counts(data: &Dataset) -> Vec<usize> {
    (0..10).map(|c| labels(data).iter().filter(|&&l| l == c).count()).collect()
}

#[test]
fn samples_and_classes_have_the_published_counts() {
    let split = digits(DataConfig::default());
    let test = split.test.unwrap();
    assert_eq!((split.train.samples, test.samples), (3823, 1797));
    assert_eq!(counts(&split.train), [376, 389, 380, 389, 387, 376, 377, 387, 380, 382]);
    assert_eq!(counts(&test), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let (least, most) = split.train.inputs.iter().fold((1.0f64, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
    assert_eq!((least, most), (0.0, 1.0));
}

/// The first image of the training file, copied by hand.
const FIRST: [u8; 64] = [
    0, 1, 6, 15, 12, 1, 0, 0, 0, 7, 16, 6, 6, 10, 0, 0, 0, 8, 16, 2, 0, 11, 2, 0, 0, 5, 16, 3, 0, 5, 7, 0, 0, 7, 13, 3,
    0, 8, 7, 0, 0, 4, 12, 0, 1, 13, 5, 0, 0, 0, 14, 9, 15, 9, 0, 0, 0, 0, 6, 14, 7, 1, 0, 0,
];

#[test]
fn patches_reassemble_to_the_image() {
    for patch in [1, 2, 4, 8] {
        let data = digits(DataConfig { patch, train: 1, test: 1, ..DataConfig::default() }).train;
        assert_eq!((data.tokens, data.dim), ((8 / patch) * (8 / patch), patch * patch));
        let mut image = [0u8; 64];
        for (t, token) in data.inputs.chunks_exact(data.dim).enumerate() {
            let (top, left) = (t / (8 / patch) * patch, t % (8 / patch) * patch);
            for (k, x) in token.iter().enumerate() {
                image[(top + k / patch) * 8 + left + k % patch] = (16.0 * x) as u8;
            }
        }
        assert_eq!(image, FIRST, "patch {patch}");
    }
}

#[test]
fn pixels_are_token_ids() {
    let data = digits(DataConfig { layout: Layout::Pixels, train: 1, test: 1, ..DataConfig::default() }).train;
    assert_eq!((data.tokens, data.dim), (64, 1));
    assert!(data.inputs.iter().copied().eq(FIRST.map(f64::from)));
    assert_eq!(labels(&data), [0]);
}

#[test]
fn a_token_is_its_patch_then_its_position_then_zeros() {
    let plain = digits(DataConfig { train: 3, test: 1, ..DataConfig::default() }).train;
    let config = DataConfig { train: 3, test: 1, positions: true, readout_rows: 10, ..DataConfig::default() };
    let full = digits(config).train;
    assert_eq!(full.dim, 16 + 4 + 10);
    for (t, (token, bare)) in full.inputs.chunks_exact(30).zip(plain.inputs.chunks_exact(16)).enumerate() {
        assert_eq!(token[..16], *bare);
        assert!(token[16..20].iter().enumerate().all(|(k, &x)| x == f64::from(u8::from(k == t % 4))));
        assert!(token[20..].iter().all(|&x| x == 0.0));
    }
}

#[test]
fn standardised_training_pixels_have_mean_zero_and_variance_one() {
    let data = digits(DataConfig { standardise: true, ..DataConfig::default() }).train;
    let n = data.inputs.len() as f64;
    let mean = data.inputs.iter().sum::<f64>() / n;
    let variance = data.inputs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    // 244 672 terms summed one by one, in two different orders
    assert!(mean.abs() < 1e-10 && (variance - 1.0).abs() < 1e-10, "{mean} {variance}");
}

#[test]
fn shuffling_is_seeded_and_keeps_images_with_their_labels() {
    let config = |seed, train| DataConfig { seed, train, shuffle: true, ..DataConfig::default() };
    let (all, a) = (digits(DataConfig::default()).train, digits(config(1, 200)).train);
    assert_eq!(a, digits(config(1, 200)).train);
    assert_ne!(a, digits(config(2, 200)).train);
    assert_ne!(a, all.take(0..200));
    for i in 0..a.samples {
        let matches = |&k: &usize| all.inputs_of(k) == a.inputs_of(i) && labels(&all)[k] == labels(&a)[i];
        assert!((0..all.samples).any(|k| matches(&k)), "sample {i} is not in the file");
    }
    assert_eq!(counts(&digits(config(3, 0)).train), counts(&all));
}

#[test]
fn requests_that_cannot_be_met_say_what_can() {
    let text = |c: DataConfig| load(&c).unwrap_err().to_string();
    let found = text(DataConfig { patch: 3, ..DataConfig::default() });
    assert!(found.contains("data.patch = 3") && found.contains("Choose one of 1, 2, 4, 8."), "{found}");
    let found = text(DataConfig { train: 4000, ..DataConfig::default() });
    assert!(found.contains("data.train = 4000") && found.contains("only 3823"), "{found}");
    let found = text(DataConfig { test: 1798, ..DataConfig::default() });
    assert!(found.contains("data.test = 1798") && found.contains("only 1797"), "{found}");
    let pixels = DataConfig { layout: Layout::Pixels, standardise: true, ..DataConfig::default() };
    assert!(matches!(load(&pixels), Err(DataError::BadValue { key: "layout", .. })));
}
