//! Failure modes that the certificates must see, each for its own reason.

use mckean_analysis::certificate::conditions::{self, Profile};
use mckean_analysis::certificate::gap::gaps;
use mckean_analysis::certificate::kernel::kernel;
use mckean_analysis::{Condition, Verdict, View, assumption};
use mckean_data::{Dataset, Targets};
use mckean_dynamics::config::{DynamicsConfig, Scheme};
use mckean_dynamics::observe::radius;
use mckean_engine::{DataShape, Network};
use mckean_model::{InitConfig, ModelConfig, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

/// In-context samples of `tokens` tokens (x, y); the last token is the query; `shared` makes it the same in every sample.
fn data(samples: usize, tokens: usize, shared: bool) -> Arc<Dataset> {
    let mut g = Seed(5).stream("failures").open();
    let (mut inputs, mut labels) = (vec![], vec![]);
    for _ in 0..samples {
        let slope = [g.normal(), g.normal()];
        for token in 0..tokens {
            let query = token + 1 == tokens;
            let x = if shared && query { [0.5, -0.5] } else { [g.normal(), g.normal()] };
            let y = slope[0] * x[0] + slope[1] * x[1];
            inputs.extend([x[0], x[1], if query { 0.0 } else { y }]);
            if query {
                labels.push(y);
            }
        }
    }
    let targets = Targets::Values { data: labels, outputs: 1 };
    Arc::new(Dataset { name: "in context".into(), samples, tokens, dim: 3, inputs, targets })
}

struct Case {
    net: Arc<Network>,
    data: Arc<Dataset>,
    start: Vec<f64>,
    lambda: f64,
}

fn case(m: &ModelConfig, data: Arc<Dataset>, scale: f64, lambda: f64) -> Case {
    let net = Network::new(m, DataShape { tokens: data.tokens, dim: 3, outputs: 1, vocabulary: 0 }).unwrap();
    let start = init::draw(m, &InitConfig { scale, ..Default::default() }, &net.layout, Seed(1));
    Case { net: Arc::new(net), data, start, lambda }
}

impl Case {
    /// The view after a flow to `until`, with the radii on the way.
    fn after(&self, until: f64) -> (View, Vec<(f64, f64)>) {
        let d = DynamicsConfig { weight_decay: self.lambda, integrator: Scheme::Adaptive, until, ..Default::default() };
        let par = Par::serial();
        let mut flow = mckean_dynamics::build(&d, &self.net, &self.data, &self.start, Seed(1), &par).unwrap();
        let mut radii = vec![];
        for i in 0..=8 {
            flow.advance(until * f64::from(i) / 8.0);
            radii.push((flow.tau(), radius(&self.net, &flow.parameters())));
        }
        let view = View::new(self.net.clone(), self.data.clone(), flow.parameters(), self.lambda).unwrap();
        (view, radii)
    }

    fn table(&self, until: f64) -> Vec<Condition> {
        let (view, radii) = self.after(until);
        let k = kernel(&self.net, &self.data, &view.theta, self.lambda, &Par::serial());
        conditions::table(&view, &radii, &Profile::new(&view, &radii), &k, &Par::serial())
    }
}

fn verdict(table: &[Condition], name: &str) -> Verdict {
    table.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("{name} in {table:#?}")).verdict
}

fn wide() -> ModelConfig {
    ModelConfig { depth: 2, heads: 60, neurons: 300, ..Default::default() }
}

#[test]
fn a_narrow_start_does_not_cover() {
    let ball = "(b) support, neurons";
    let narrow = case(&wide(), data(6, 4, false), 0.05, 1e-2).table(0.5);
    let good = case(&wide(), data(6, 4, false), 1.2, 1e-2).table(0.5);
    assert_eq!(
        (verdict(&narrow, ball), verdict(&good, ball)),
        (Verdict::Fails, Verdict::Holds),
        "{narrow:#?} {good:#?}"
    );
}

#[test]
fn token_wise_neurons_cannot_tell_apart_samples_that_share_a_token() {
    let m = ModelConfig { attention: "none".into(), ..wide() };
    let table = |shared, n| {
        let c = case(&m, data(8, n, shared), 1.2, 1e-2);
        assumption::table(&View::new(c.net, c.data, c.start, c.lambda).unwrap())
    };
    let (stated, image) = ("A4 (ii) as stated, h", "A4 (ii) on the data, h");
    let shared = table(true, 4);
    assert_eq!((verdict(&shared, stated), verdict(&shared, image)), (Verdict::Fails, Verdict::Fails));
    let distinct = table(false, 4);
    assert_eq!(
        (verdict(&distinct, stated), verdict(&distinct, image)),
        (Verdict::Fails, Verdict::NotTestable),
        "distinct tokens are interpolated, which says nothing: {distinct:#?}"
    );
    let single = table(false, 1);
    assert_eq!(verdict(&single, stated), Verdict::NotTestable, "with one token it is not known to fail");
}

#[test]
fn heads_in_front_tell_them_apart() {
    let c = case(&wide(), data(8, 4, true), 1.2, 1e-2);
    let table = assumption::table(&View::new(c.net, c.data, c.start, c.lambda).unwrap());
    assert_eq!(verdict(&table, "A4 (ii) on the data, h"), Verdict::NotTestable, "tokens differ: {table:#?}");
}

#[test]
fn one_smooth_token_is_predicted_on_samples_left_out() {
    let m = ModelConfig { attention: "none".into(), ..wide() };
    let mut smooth = Dataset::clone(&data(200, 1, false));
    smooth.inputs.iter_mut().for_each(|x| *x *= 0.3); // HubReLU is quadratic there, and so are the labels
    let labels: Vec<f64> = smooth.inputs.chunks(3).map(|x| x[0] * x[1]).collect();
    smooth.targets = Targets::Values { data: labels, outputs: 1 };
    let c = case(&m, Arc::new(smooth), 1.2, 1e-2);
    let table = assumption::table(&View::new(c.net, c.data, c.start, c.lambda).unwrap());
    assert_eq!(verdict(&table, "A4 (ii) on the data, h"), Verdict::Holds, "{table:#?}");
}

#[test]
fn without_weight_decay_nothing_can_be_certified_and_it_says_so() {
    let c = case(&ModelConfig { heads: 8, neurons: 8, ..wide() }, data(6, 4, false), 1.2, 0.0);
    let table = c.table(2.0);
    assert_eq!(verdict(&table, "weight decay"), Verdict::Fails);
    for name in ["at rest", "virial", "optimality gap", "growth c*/(2 lambda)"] {
        assert_eq!(verdict(&table, name), Verdict::NotTestable, "{name}");
    }
    assert_eq!(verdict(&table, "tangent kernel"), Verdict::Holds, "the kernel needs no weight decay");
}

#[test]
fn a_deep_network_of_single_particles_rests_with_a_gap() {
    let thin =
        case(&ModelConfig { depth: 16, heads: 1, neurons: 1, ..Default::default() }, data(8, 4, false), 0.5, 0.02);
    let table = thin.table(600.0);
    assert_eq!(verdict(&table, "at rest"), Verdict::Holds, "{table:#?}");
    assert_eq!(verdict(&table, "optimality gap"), Verdict::Fails, "{table:#?}");
    assert_eq!(verdict(&table, "(b) support, neurons"), Verdict::NotTestable);
}

#[test]
fn a_radius_that_still_grows_at_the_end_is_seen() {
    // labels out of reach of small particles: the radius grows until they are reached
    let mut far = Dataset::clone(&data(6, 4, false));
    if let Targets::Values { data, .. } = &mut far.targets {
        data.iter_mut().for_each(|y| *y *= 8.0);
    }
    let m = ModelConfig { heads: 8, neurons: 8, ..wide() };
    let free = case(&m, Arc::new(far.clone()), 0.5, 0.0).table(0.2);
    assert_eq!(verdict(&free, "(a) radius"), Verdict::Fails, "{free:#?}");
    let held = case(&m, Arc::new(far), 0.5, 5.0).table(4.0);
    assert_eq!(verdict(&held, "(a) radius"), Verdict::Holds, "{held:#?}");
}

#[test]
fn gaps_close_with_training_where_there_are_enough_particles() {
    let c = case(&ModelConfig { heads: 40, neurons: 40, ..wide() }, data(6, 4, false), 1.2, 0.02);
    let worst = |view: &View| gaps(view, 3.0).unwrap().iter().map(|g| g.gap).fold(0.0, f64::max);
    let start = View::new(c.net.clone(), c.data.clone(), c.start.clone(), c.lambda).unwrap();
    let (before, after) = (worst(&start), worst(&c.after(400.0).0));
    assert!(after < 0.1 * before, "{before} {after}");
}

#[test]
fn states_that_are_not_finite_are_not_testable_and_everything_ends() {
    let at = |scale| case(&ModelConfig { heads: 4, neurons: 4, ..wide() }, data(6, 4, false), scale, 0.02);
    let far = at(1e80);
    let k = kernel(&far.net, &far.data, &far.start, far.lambda, &Par::serial());
    assert!(k.unwrap_err().to_string().contains("not finite"));
    let c = at(1e20);
    let k = kernel(&c.net, &c.data, &c.start, c.lambda, &Par::serial());
    let view = View::new(c.net, c.data, c.start, c.lambda).unwrap();
    let radii = [(0.0, 1e20); 3];
    let table = conditions::table(&view, &radii, &Profile::new(&view, &radii), &k, &Par::serial());
    for name in ["at rest", "virial", "optimality gap", "growth c*/(2 lambda)", "adjoint bounds (F.7)"] {
        let row = table.iter().find(|c| c.name == name).unwrap();
        assert!(row.verdict == Verdict::NotTestable && row.words.contains("not finite"), "{row:?}");
    }
    let table = assumption::table(&view);
    for row in table.iter().filter(|c| c.name.starts_with("A3") || c.name.contains("on the data")) {
        assert!(row.verdict == Verdict::NotTestable && row.words.contains("not finite"), "{row:?}");
    }
    assert_eq!(table.iter().filter(|c| c.words.contains("not finite")).count(), 10);
}

#[test]
fn a_network_without_sublayers_has_no_gap_and_a_kernel_that_vanishes_is_not_positive() {
    let m = ModelConfig { attention: "none".into(), feed_forward: "none".into(), ..wide() };
    let table = case(&m, data(6, 4, false), 1.2, 0.02).table(0.1);
    assert_eq!(verdict(&table, "optimality gap"), Verdict::NotTestable);
    let dead = case(&ModelConfig { attention: "none".into(), neurons: 4, ..wide() }, data(6, 4, false), 0.0, 0.02);
    assert_eq!(verdict(&dead.table(0.1), "tangent kernel"), Verdict::Fails);
}
