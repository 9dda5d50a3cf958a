//! Initial laws end to end: particles from a file through `limit`, `rates`, `run`; mixtures and laws of depth; what is refused.
//!
//! Maths: atoms written to a file and read again are the same law, to the bit.
//! Shapes: small configs.
//! Cost: a second or two.
//! Checked: this is a test.

use mckean::rates::{self, Options};
use mckean::{Config, Error, Problem, limit};
use mckean_num::par::Par;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const TEXT: &str = r#"
name = "law"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 8
constant = false
token_scale = 0.6
[model]
depth = 2
heads = 6
neurons = 4
readout_row = 2
[dynamics]
until = 0.5
weight_decay = 1e-3
[limit]
taus = [0.25, 0.5]
rtol = 3e-2
[rates]
widths = [64, 256]
depths = [2, 4]
seeds = 3
[init]
"#;

fn config(init: &str) -> Result<Config, Error> {
    Config::parse(&format!("{TEXT}{init}"), "test", &[])
}

fn solve(init: &str, out: &Path) -> Result<limit::Record, Error> {
    limit::run(&config(init)?, &Par::serial(), out, ("mckean limit test", TEXT), &Default::default(), &mut |_| {})
}

fn refused(init: &str, out: &Path) -> String {
    let run = config(init).and_then(|c| Problem::new(&c).map(drop)).err().map(|e| e.to_string());
    let limit = solve(init, out).unwrap_err().to_string();
    assert_eq!(run.as_ref(), Some(&limit), "run and limit refuse alike");
    limit
}

/// The atoms of a law of four, as a table with names.
fn table(init: &str) -> String {
    let problem = limit::problem(&config(init).unwrap()).unwrap();
    let names = mckean_model::init::names(&problem.layout().unwrap()).join(",");
    let row = |p: &Vec<f64>| p.iter().map(|x| format!("{x:e}")).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = problem.law().unwrap().at(0.0).atoms().iter().map(row).collect();
    format!("{names}\n{}\n", rows.join("\n"))
}

#[test]
fn particles_of_a_file_are_atoms_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = "law = \"normal\"\nscale = 0.5\natoms = 4";
    let path = folder.path().join("particles.csv");
    std::fs::write(&path, table(drawn)).unwrap();
    let given = format!("particles = {path:?}");
    let start = |init: &str| Problem::new(&config(init).unwrap()).unwrap().start;
    assert_eq!(start(drawn), start(&given));
    let (a, b) = (solve(drawn, folder.path()).unwrap(), solve(&given, folder.path()).unwrap());
    assert_eq!((&a.risk, a.particles, a.replicates), (&b.risk, 4, 1));
    assert_ne!(a.dir, b.dir);
    let rates = |init: &str| {
        let stop = Arc::new(AtomicBool::new(false));
        let (out, command, progress) = (folder.path(), "mckean rates", &|_: rates::Progress<'_>| {});
        let options = Options { out, jobs: 1, command, source: TEXT, stop: &stop, progress };
        let c = config(init).unwrap();
        let r = rates::run(&c, &options).unwrap();
        let again = rates::collect(&c, &mckean_report::RunDir::open(&r.dir).unwrap()).unwrap();
        assert_eq!((r.there, again.there), (r.asked, r.asked), "what is there is found again");
        r.found.iter().map(|f| f.bias.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rates(drawn), rates(&given));
}

#[test]
fn the_example_of_given_particles_is_sound() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let set = format!("init.particles={}", examples.join("limit_particles.csv").display());
    let c = Config::load(&examples.join("limit_particles.toml"), &[set]).unwrap();
    assert_eq!(Problem::new(&c).unwrap().init.atoms, 6);
    limit::problem(&c).unwrap().check().unwrap();
}

#[test]
fn mixtures_and_laws_of_depth_have_limits_and_keep_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let init = "law = \"mixture\"\nscale = 0.8\ndepth_scale = [[0, 1], [1.0, 0.5]]\n\
        [[init.mixture]]\nweight = 3\nlaw = \"truncated\"\nscale = 0.5\n\
        [[init.mixture]]\nlaw = \"ball\"\nshift = { v = [0.3], w1 = [0.1, 0.2, 0.3, 0.4] }\n";
    let c = config(init).unwrap();
    assert_eq!(Config::parse(&c.resolved(), "resolved", &[]).unwrap(), c);
    let record = solve(init, folder.path()).unwrap();
    assert!(record.outcome == "reached" && record.replicates >= 8, "{record:?}");
    let page = std::fs::read_to_string(record.dir.join("resolved.toml")).unwrap();
    assert!(page.contains("depth_scale") && page.contains("[[init.mixture]]"), "{page}");
    mckean::certify::of_config(&c, "law", &Par::serial()).unwrap();
}

#[test]
fn bad_laws_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = folder.path().join("p.csv");
    let file = |text: &str| {
        std::fs::write(&path, text).unwrap();
        refused(&format!("particles = {path:?}"), &out)
    };
    let mixture = |keys: &str| refused(&format!("law = \"mixture\"\n[[init.mixture]]\n{keys}"), &out);
    let row = vec!["1"; 40].join(",");
    for (found, words) in [
        (refused("particles = \"no/such.csv\"", &out), "init.particles = \"no/such.csv\": cannot be read"),
        (file(""), "no rows of numbers"),
        (
            file("1,2,3\n"),
            "the row has 3 cells, but there are 40 columns. They are the numbers of a particle: v (4 x 4), w (4 x 4), w1",
        ),
        (file(&row.replacen('1', "nan", 1)), "line 1, column 1: \"nan\" is NaN"),
        (file(&format!("{row}\n{}", row.replacen("1,", ",", 1))), "line 2, column 1: the cell is empty"),
        (mixture("shift = { u = [1.0] }"), "(component 1) shift.u = [1.0]: no tensor"),
        (mixture("weight = 0.0"), "(component 1) weight = 0"),
        (mixture("sift = 1"), "unknown field `sift`"),
        (refused("law = \"mixture\"", &out), "needs its components"),
        (refused("depth_scale = [[0.5, 1.0], [0.2, 1.0]]", &out), "init.depth_scale"),
    ] {
        assert!(found.contains(words), "{words}: {found}");
    }
    assert!(!out.exists());
}
