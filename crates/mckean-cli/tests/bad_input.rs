//! Bad input of every kind: exit status 2, one paragraph that names file or key and a remedy, nothing half-written.
//!
//! Maths: none.
//! Shapes: a small config, one thing wrong with it.
//! Cost: about a second.
//! Checked: this is a test.

mod common;

use common::{call, texts};
use std::fs;
use std::path::Path;
use std::process::Output;

/// An in-context flow of 11 observations; takes some milliseconds.
const FLOW: &str = r#"
name = "flow"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 16
seed = 3
[model]
depth = 2
heads = 3
neurons = 4
activation = "gelu"
readout_row = 2
[dynamics]
step = 0.1
until = 2.0
weight_decay = 1e-3
[observe]
every = 0.2
"#;

/// A classification of the embedded digits.
const DIGITS: &str = r#"
name = "digits"
[data]
name = "digits"
train = 32
readout_rows = 10
[model]
depth = 1
heads = 2
neurons = 2
readout = "rows"
[dynamics]
until = 0.2
"#;

/// Every path below `folder`, with its size.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let mut all = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        all.push((entry.path().display().to_string(), entry.metadata().unwrap().len()));
        if entry.path().is_dir() {
            all.extend(listing(&entry.path()));
        }
    }
    all.sort();
    all
}

/// Status 2, nothing on standard output, one paragraph on standard error that has all `words`.
fn refused(what: &str, output: &Output, words: &[&str]) {
    let (out, err) = texts(output);
    assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{what}: {err}");
    let paragraph = err.strip_prefix("error: ").unwrap_or_else(|| panic!("{what}: {err}")).trim_end();
    assert!(!paragraph.contains("\n\n") && !paragraph.contains("panicked"), "{what}: more than a paragraph: {err}");
    assert!(words.iter().all(|w| paragraph.contains(w)), "{what}: not all of {words:?} in: {err}");
}

/// Calls in a folder with `a.toml`; the call is refused and leaves the folder as it was.
fn refuse_in(folder: &Path, text: &str, args: &[&str], words: &[&str]) {
    fs::write(folder.join("a.toml"), text).unwrap();
    let before = listing(folder);
    let output = call(folder, args);
    refused(&format!("{args:?}"), &output, words);
    assert_eq!(listing(folder), before, "{args:?} left something behind");
}

/// `check`, `run` and `sweep` all refuse this config.
fn refuse(text: &str, sets: &[&str], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["check", "run", "sweep"] {
        let mut args = vec![verb, "a.toml"];
        sets.iter().for_each(|s| args.extend(["--set", s]));
        refuse_in(folder.path(), text, &args, words);
    }
}

#[test]
fn misspelt_keys_come_with_the_nearest_name() {
    refuse("[model]\nhaeds = 3\n", &[], &["a.toml", "model.haeds", "did you mean \"model.heads\""]);
    refuse("[modle]\nheads = 3\n", &[], &["a.toml", "modle.heads", "did you mean \"model.heads\""]);
    refuse(FLOW, &["dynamics.setp=0.1"], &["--set", "dynamics.setp", "did you mean \"dynamics.step\""]);
    refuse(FLOW, &["heads=3"], &["--set", "\"heads\"", "model.heads"]);
    refuse(FLOW, &["model.heads"], &["--set", "model.heads", "key=value"]);
}

#[test]
fn wrong_types_and_broken_toml_come_with_their_line() {
    refuse("name = \"a\"\n[model]\ndepth = \"six\"\n", &[], &["a.toml", "line 3", "depth", "six"]);
    refuse("[model]\nkernel = \"softmin\"\n", &[], &["a.toml", "line 2", "softmin", "softmax"]);
    refuse("[model\ndepth = 3\n", &[], &["a.toml", "line 1"]);
    refuse("seed = -1\n", &[], &["a.toml", "line 1", "seed", "-1"]);
    refuse(FLOW, &["model.heads=many"], &["--set", "heads", "many"]);
    refuse(FLOW, &["model.heads=2.5"], &["--set", "heads", "2.5"]);
}

#[test]
fn impossible_sizes_and_ranges_are_named() {
    for (key, value) in [("heads", "0"), ("depth", "0"), ("neurons", "0"), ("heads", "1000000000")] {
        refuse(FLOW, &[&format!("model.{key}={value}")], &[&format!("model.{key} = {value}"), "Choose"]);
    }
    refuse(FLOW, &["model.heads=16000000", "model.depth=1000"], &["GB", "smaller"]);
    refuse(FLOW, &["data.train=1000000000000"], &["in_context", "over the limit", "data.train"]);
    refuse(FLOW, &["dynamics.weight_decay=-1"], &["dynamics.weight_decay = -1", ">= 0"]);
    refuse(FLOW, &["dynamics.step=nan"], &["dynamics.step = NaN", "finite number > 0"]);
    refuse(FLOW, &["dynamics.until=inf"], &["dynamics.until = inf"]);
    refuse(FLOW, &["model.dropout=1"], &["model.dropout = 1", "[0, 1)"]);
    refuse(FLOW, &["observe.every=-1"], &["observe.every = -1", ">= 0"]);
    refuse(FLOW, &["observe.every=1e-9"], &["observe.every", "observations", "less often"]);
    for name in ["", "a/b", "..", ".hidden", "a\\b"] {
        refuse(FLOW, &[&format!("name='{name}'")], &["name = ", "folder", "Choose another"]);
    }
}

#[test]
fn parts_that_do_not_fit_are_named() {
    refuse(FLOW, &["model.attention=qkw"], &["attention", "\"qkw\"", "did you mean \"qkv\""]);
    refuse(FLOW, &["model.feed_forward=mpl"], &["feed_forward", "did you mean \"mlp\""]);
    refuse(FLOW, &["data.name=in-context"], &["data.name", "did you mean \"in_context\""]);
    refuse(FLOW, &["model.readout_row=9"], &["model.readout_row = 9", "5 rows"]);
    refuse(FLOW, &["model.readout=rows"], &["model.readout_row = 2", "read only by \"entry\"", "leave them out"]);
    refuse(FLOW, &["model.dropout=0.1"], &["model.dropout = 0.1", "gradient flow", "descent"]);
    refuse(FLOW, &["model.readout=class_token"], &["model.readout", "model.class_token = true"]);
    refuse(FLOW, &["model.loss=cross_entropy"], &["model.loss", "cross_entropy", "classes"]);
    refuse(FLOW, &["model.embedding=token"], &["model.embedding", "token", "integers", "patch"]);
    refuse(DIGITS, &["model.readout=entry"], &["model.readout", "10 outputs", "rows"]);
    refuse(DIGITS, &["data.readout_rows=0", "data.patch=2"], &["model.readout", "data.readout_rows"]);
    refuse(DIGITS, &["data.context=3"], &["data.context", "in_context", "digits", "Leave it out"]);
    refuse(DIGITS, &["data.patch=3"], &["data.patch = 3", "8"]);
    refuse(DIGITS, &["data.patch=0"], &["data.patch = 0"]);
    refuse(DIGITS, &["data.train=5000"], &["data.train = 5000", "3823"]);
    refuse(DIGITS, &["data.test=1798"], &["data.test = 1798", "1797"]);
}

#[test]
fn grids_without_cells_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (grid, words) in [
        ("\"model.hedas\" = [1]", &["sweep.grid", "model.hedas", "did you mean \"model.heads\""][..]),
        ("\"model.heads\" = []", &["sweep.grid", "model.heads", "at least one value"]),
        ("\"model.heads\" = 3", &["a.toml", "line", "model.heads"]),
        ("\"sweep.seeds\" = [3]", &["sweep.seeds", "outside [sweep]"]),
    ] {
        let text = format!("{FLOW}[sweep.grid]\n{grid}\n");
        refuse_in(folder.path(), &text, &["sweep", "a.toml"], words);
        refuse_in(folder.path(), &text, &["check", "a.toml"], words);
    }
    let many = ["sweep", "a.toml", "--set", "sweep.seeds=1000000000000"];
    refuse_in(folder.path(), FLOW, &many, &["sweep.seeds", "1000000000000 runs", "fewer"]);
}

#[test]
fn configs_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.toml")).unwrap();
    fs::write(folder.path().join("latin1.toml"), b"name = \"caf\xe9\"\n").unwrap();
    for (name, why) in [("missing.toml", "No such file"), ("folder.toml", "directory"), ("latin1.toml", "no text file")]
    {
        for verb in ["check", "run", "sweep"] {
            refuse_in(folder.path(), FLOW, &[verb, name], &[name, why, "cannot read", "mckean new"]);
        }
    }
}

/// Bytes of an IDX file of `n` images of 4 x 4 bytes, cut short, in gzip.
fn truncated_idx() -> Vec<u8> {
    let mut raw = vec![0, 0, 8, 3, 0, 0, 0, 100, 0, 0, 0, 4, 0, 0, 0, 4];
    raw.extend([7u8; 100]); // 1600 were promised
    stored_gzip(&raw)
}

/// A gzip file with one stored block.
fn stored_gzip(raw: &[u8]) -> Vec<u8> {
    let mut crc = !0u32;
    for &byte in raw {
        crc ^= u32::from(byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 });
    }
    let size = raw.len() as u16;
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend([size.to_le_bytes(), (!size).to_le_bytes()].concat());
    file.extend(raw);
    file.extend([(!crc).to_le_bytes(), (raw.len() as u32).to_le_bytes()].concat());
    file
}

#[test]
fn bad_data_files_are_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("images.idx.gz", &truncated_idx());
    write("torn.idx.gz", &truncated_idx()[..60]);
    write("labels.idx", &[[0, 0, 8, 1, 0, 0, 0, 100].as_slice(), &[1; 100]].concat());
    write("photo.bin", b"\x89PNG\r\n\x1a\n and so on");
    write("nan.csv", b"1,2,0\n3,NaN,1\n");
    write("ragged.csv", b"1,2,0\n3,1\n");
    write("word.csv", b"1,2,0\n3,x,1\n");
    write("empty.csv", b"");
    for (name, path, words) in [
        ("csv", "missing.csv", &["missing.csv", "cannot be read", "data.path"][..]),
        ("csv", "", &["data.path is empty", "csv"]),
        ("idx", "images.idx.gz", &["images.idx.gz", "1600", "100"]),
        ("idx", "torn.idx.gz", &["torn.idx.gz"]),
        ("idx", "photo.bin", &["photo.bin", "IDX"]),
        ("cifar10", "photo.bin", &["photo.bin", "3073", "CIFAR-10"]),
        ("csv", "nan.csv", &["nan.csv, line 2, column 2", "NaN"]),
        ("csv", "ragged.csv", &["ragged.csv, line 2", "2", "3"]),
        ("csv", "word.csv", &["word.csv, line 2, column 2", "x"]),
        ("csv", "empty.csv", &["empty.csv"]),
    ] {
        let labels = if name == "idx" { "labels_path = \"labels.idx\"\n" } else { "" };
        let text = format!("[data]\nname = \"{name}\"\npath = \"{path}\"\n{labels}[model]\nreadout = \"linear\"\n");
        for verb in ["check", "run", "sweep"] {
            refuse_in(folder.path(), &text, &[verb, "a.toml"], words);
        }
    }
}

/// Name of the run directory of the small flow.
fn run_name(folder: &Path) -> String {
    fs::write(folder.join("a.toml"), FLOW).unwrap();
    let said = texts(&call(folder, &["check", "a.toml"])).0;
    let path = said.lines().last().unwrap().rsplit("will run in ").next().unwrap();
    Path::new(path).file_name().unwrap().to_str().unwrap().to_string()
}

#[test]
fn places_where_no_run_can_go_are_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let name = run_name(folder.path());
    fs::write(folder.path().join("file"), "precious").unwrap();
    refuse_in(folder.path(), FLOW, &["run", "a.toml", "--out", "file"], &["file", "--out"]);
    refuse_in(folder.path(), FLOW, &["run", "a.toml", "--out", "file/deeper"], &["file/deeper", "--out"]);
    let foreign = folder.path().join("runs").join(&name);
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("thesis.tex"), "precious").unwrap();
    for more in [&[][..], &["--resume"]] {
        let args = [&["run", "a.toml"][..], more].concat();
        refuse_in(folder.path(), FLOW, &args, &[&name, "not a run directory", "thesis.tex", "untouched"]);
    }
    fs::write(foreign.join("manifest.json"), "{\"name\": \"a web app\"}").unwrap();
    refuse_in(folder.path(), FLOW, &["run", "a.toml"], &["manifest.json", "not a manifest"]);
}

#[test]
fn verbs_refuse_what_they_cannot_find() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::create_dir(folder.path().join("foreign")).unwrap();
    fs::write(folder.path().join("foreign/thesis.tex"), "precious").unwrap();
    for verb in ["report", "cite"] {
        refuse_in(
            folder.path(),
            FLOW,
            &[verb, "foreign"],
            &["foreign", "not a run directory", "thesis.tex", "Give the folder"],
        );
        refuse_in(folder.path(), FLOW, &[verb, "empty"], &["empty", "no run directory", "manifest.json"]);
        refuse_in(folder.path(), FLOW, &[verb, "nowhere"], &["nowhere", "no run directory"]);
        refuse_in(folder.path(), FLOW, &[verb, "a.toml"], &["a.toml"]);
    }
    refuse_in(folder.path(), FLOW, &["new", "fisrt"], &["fisrt", "first", "digits_vit"]);
    refuse_in(folder.path(), FLOW, &["reproduce", "gao2023"], &["gao2023", "gao2024"]);
    let unknown = call(folder.path(), &["trian"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(texts(&unknown).1.contains("trian") && unknown.stdout.is_empty());
}

#[test]
fn damaged_runs_are_reported_and_not_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let name = run_name(folder.path());
    assert!(call(folder.path(), &["run", "a.toml"]).status.success());
    let dir = folder.path().join("runs").join(&name);
    let whole = fs::read_to_string(dir.join("manifest.json")).unwrap();
    let open = whole.replacen("\"kind\": \"finished\"", "\"kind\": \"stopped\"", 1);
    assert_ne!(open, whole);
    fs::write(dir.join("manifest.json"), &open).unwrap();
    refuse_in(folder.path(), FLOW, &["run", "a.toml"], &[&name, "unfinished", "--resume"]);
    fs::write(dir.join("metrics.jsonl"), "{}\n").unwrap();
    refuse_in(folder.path(), FLOW, &["run", "a.toml", "--resume"], &["metrics.jsonl", "cannot continue"]);
    fs::write(dir.join("checkpoints/latest.safetensors"), "torn").unwrap();
    refuse_in(folder.path(), FLOW, &["run", "a.toml", "--resume"], &["latest.safetensors"]);
    fs::remove_file(dir.join("manifest.json")).unwrap();
    refuse_in(folder.path(), FLOW, &["run", "a.toml", "--resume"], &["half-written", "manifest.json"]);
    refuse_in(folder.path(), FLOW, &["report", dir.to_str().unwrap()], &["half-written", "manifest.json"]);
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("skipped: permissions do not bind this user (root)");
        return;
    }
    refuse_in(folder.path(), FLOW, &["run", "a.toml", "--out", "closed"], &["closed", "no permission", "--out"]);
}

/// Files may not grow beyond a limit: a run breaks off in the middle, says so, and continues to the same bytes later.
#[cfg(unix)]
#[test]
fn a_run_that_can_write_no_more_says_so_and_continues_later() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.toml"),
        format!("{FLOW}checkpoint_seconds = 0\n").replace("0.2", "0.02").replace("0.1", "0.02"),
    )
    .unwrap();
    let limited = |blocks: u32| {
        let exe = env!("CARGO_BIN_EXE_mckean");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{exe}' run a.toml --threads 1 --out small");
        std::process::Command::new("sh").current_dir(folder.path()).args(["-c", &script]).output().unwrap()
    };
    refused("no file", &limited(1), &["small", "could not write"]); // 512 or 1024 bytes, as the shell counts
    assert_eq!(listing(&folder.path().join("small")), [], "nothing half-written");
    refused("short files", &limited(16), &["metrics.jsonl", "could not write", "large"]);
    let run = |out: &str| {
        assert!(call(folder.path(), &["run", "a.toml", "--resume", "--out", out]).status.success());
        fs::read_dir(folder.path().join(out)).unwrap().next().unwrap().unwrap().path()
    };
    let broken = listing(&folder.path().join("small"));
    let has = |end: &str| broken.iter().any(|(path, _)| path.ends_with(end));
    assert!(has("latest.safetensors") && !has("end.safetensors") && !has(".tmp"), "{broken:?}");
    let (small, whole) = (run("small"), run("whole"));
    for file in ["metrics.jsonl", "arrays/end.safetensors", "checkpoints/latest.safetensors"] {
        assert!(fs::read(small.join(file)).unwrap() == fs::read(whole.join(file)).unwrap(), "{file}");
    }
}

/// A real full disk, where this user may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_nothing_half_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = |size: &str| {
        let args = ["-t", "tmpfs", "-o", size, "tmpfs", disk.to_str().unwrap()];
        std::process::Command::new("mount").args(args).output().is_ok_and(|o| o.status.success())
    };
    if !mount("size=24k") {
        println!("skipped: this user may not mount a small disk");
        return;
    }
    fs::write(folder.path().join("a.toml"), FLOW).unwrap();
    let output = call(folder.path(), &["run", "a.toml", "--out", "disk"]);
    let left = listing(&disk);
    let unmounted = std::process::Command::new("umount").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    refused("full disk", &output, &["disk", "full", "--resume"]);
    assert!(left.iter().all(|(path, _)| !path.ends_with(".tmp")), "{left:?}");
}
