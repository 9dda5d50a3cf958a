//! `data.name = "idx"`: an image file and its label file, or a folder with the MNIST names.
//!
//! Maths: none.
//! Shapes: images `[N][F]` (one row of pixels), `[N][height][width]` or `[N][channels][height][width]`; labels `[N]`.
//! Cost: one read per file; pixels stay in the file's encoding until they are used.
//! Checked: `tests/readers.rs` (pairs, counts, labels), `tests/files.rs` (MNIST when it is there).

use super::bytes;
use super::idx::{Idx, IdxKind, parse};
use crate::cut::ImageShape;
use crate::error::{bad_format, bad_value};
use crate::format::table::MAX_CLASSES;
use crate::load::ImageFiles;
use crate::raw::{Numbers, Raw};
use crate::{DataConfig, DataError, Targets};
use std::path::{Path, PathBuf};

/// Image file and label file, each with the key that named it.
struct Pair {
    images: (PathBuf, &'static str),
    labels: (PathBuf, &'static str),
}

/// Reads the training pair and, where there is one, the test pair.
pub(crate) fn read(config: &DataConfig) -> Result<ImageFiles, DataError> {
    let (train, test) = pairs(config)?;
    let (shape, mut train) = read_pair(&train)?;
    let mut test = test.map(|pair| read_pair(&pair)).transpose()?;
    if let Some((other, test)) = &mut test {
        check_same_shape(shape, *other, &test.file)?;
        let classes = class_count(&train).max(class_count(test));
        [&mut train, test].into_iter().for_each(|raw| set_class_count(raw, classes));
    }
    Ok(ImageFiles { shape, train, test: test.map(|(_, raw)| raw) })
}

fn pairs(config: &DataConfig) -> Result<(Pair, Option<Pair>), DataError> {
    let path = config.need_path("path", "Name the image file, or a folder with the MNIST names.")?;
    let folder = path.is_dir() && config.labels_path.is_empty();
    let train = if folder { in_folder(path, "train")? } else { named(config, "path", "labels_path")? };
    let test = match (config.test_path.is_empty() && config.test_labels_path.is_empty(), folder) {
        (false, _) => Some(named(config, "test_path", "test_labels_path")?),
        (true, true) => in_folder(path, "t10k").ok(),
        (true, false) => None,
    };
    Ok((train, test))
}

fn named(config: &DataConfig, images: &'static str, labels: &'static str) -> Result<Pair, DataError> {
    let path = |key, remedy| config.need_path(key, remedy).map(|p| (p.to_path_buf(), key));
    Ok(Pair {
        images: path(images, "Name the file with the images.")?,
        labels: path(labels, "Name the file with the labels of these images.")?,
    })
}

/// `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (or `t10k-...`), with a dash or a dot, plain or .gz.
fn in_folder(folder: &Path, set: &str) -> Result<Pair, DataError> {
    let find = |what: &str, axes: u8| {
        let name = |(dash, end)| folder.join(format!("{set}-{what}{dash}idx{axes}-ubyte{end}"));
        [("-", ""), ("-", ".gz"), (".", ""), (".", ".gz")].map(name).into_iter().find(|p| p.is_file())
    };
    match (find("images", 3), find("labels", 1)) {
        (Some(images), Some(labels)) => Ok(Pair { images: (images, "path"), labels: (labels, "path") }),
        _ => Err(bad_format(
            &folder.display().to_string(),
            format!("the folder has no pair {set}-images-idx3-ubyte and {set}-labels-idx1-ubyte (plain or .gz)"),
            "Name the files in data.path and data.labels_path instead.",
        )),
    }
}

fn open(file: &(PathBuf, &'static str)) -> Result<(Idx, String), DataError> {
    let name = file.0.display().to_string();
    Ok((parse(bytes::read(&file.0, file.1)?, &name)?, name))
}

fn read_pair(pair: &Pair) -> Result<(ImageShape, Raw), DataError> {
    let ((images, file), (labels, labels_file)) = (open(&pair.images)?, open(&pair.labels)?);
    let shape = image_shape(&images, &file)?;
    if labels.dims != [images.dims[0]] {
        let problem =
            format!("labels of sizes {:?} do not go with the {} images of {file}", labels.dims, images.dims[0]);
        return Err(bad_format(&labels_file, problem, "Give one label per image; check which files belong together."));
    }
    let targets = class_targets(&labels, &labels_file)?;
    let features = shape.channels * shape.height * shape.width;
    let (group, full) = (shape.height * shape.width, if images.kind == IdxKind::U8 { 255.0 } else { 1.0 });
    Ok((shape, Raw { file, features, group, full, numbers: Numbers::Idx(images), targets }))
}

fn image_shape(images: &Idx, file: &str) -> Result<ImageShape, DataError> {
    let (channels, height, width) = match images.dims[1..] {
        [width] => (1, 1, width),
        [height, width] => (1, height, width),
        [channels, height, width] => (channels, height, width),
        _ => {
            return Err(bad_format(file, "one size only, so these are not images", "Are images and labels swapped?"));
        }
    };
    if images.is_empty() {
        return Err(bad_format(
            file,
            format!("the sizes {:?} hold no pixels", images.dims),
            "Give at least one image.",
        ));
    }
    Ok(ImageShape { channels, height, width })
}

/// Labels as classes 0..=largest label.
fn class_targets(labels: &Idx, file: &str) -> Result<Targets, DataError> {
    let mut out = Vec::with_capacity(labels.len());
    for i in 0..labels.len() {
        let x = labels.number(i);
        if x.fract() != 0.0 || !(0.0..MAX_CLASSES as f64).contains(&x) {
            let problem = format!("label {i} is {x}, but a class is an integer from 0 to {}", MAX_CLASSES - 1);
            return Err(bad_format(file, problem, "Check that this is the label file."));
        }
        out.push(x as u32);
    }
    let classes = out.iter().max().map_or(0, |&m| m as usize + 1);
    Ok(Targets::Classes { labels: out, classes })
}

fn class_count(raw: &Raw) -> usize {
    if let Targets::Classes { classes, .. } = &raw.targets { *classes } else { 0 }
}

fn set_class_count(raw: &mut Raw, count: usize) {
    if let Targets::Classes { classes, .. } = &mut raw.targets {
        *classes = count;
    }
}

fn check_same_shape(train: ImageShape, test: ImageShape, file: &str) -> Result<(), DataError> {
    if train == test {
        return Ok(());
    }
    let show = |s: ImageShape| format!("{} x {} x {}", s.channels, s.height, s.width);
    let problem = format!("holds {} images, but the training images are {}", show(test), show(train));
    Err(bad_value("test_path", file, problem, "Give test images of the same size."))
}
