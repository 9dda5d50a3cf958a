//! What does not fit is refused with the key, the reason and the remedy.

mod common;

use common::*;
use mckean_engine::{DataShape, Network};
use mckean_model::config::Lanes;
use mckean_model::{Loss, ModelConfig, Readout};

const SHAPE: DataShape = DataShape { tokens: 4, dim: 5, outputs: 20, vocabulary: 9 };

fn complaint(m: &ModelConfig, data: DataShape) -> String {
    Network::new(m, data).err().map_or("accepted".into(), |e| e.to_string())
}

#[test]
fn heads_without_output_map_are_as_wide_as_tokens() {
    let m = ModelConfig { attention: "qkv".into(), head_dim: 5, readout: Readout::All, ..theory() };
    assert_eq!(complaint(&m, SHAPE), "accepted");
    let narrow = complaint(&ModelConfig { head_dim: 3, ..m }, SHAPE);
    assert!(narrow.contains("model.head_dim = 3") && narrow.contains("Set model.head_dim = 5"), "{narrow}");
}

#[test]
fn all_entries_need_as_many_targets() {
    let m = ModelConfig { readout: Readout::All, ..theory() };
    let few = complaint(&m, DataShape { outputs: 3, ..SHAPE });
    assert!(few.contains("4 tokens of dimension 5 give 20 outputs, but the data have 3"), "{few}");
    let classes = complaint(&ModelConfig { loss: Loss::CrossEntropy, ..m }, SHAPE);
    assert!(classes.contains("Use loss = \"squared\""), "{classes}");
}

#[test]
fn what_cannot_fit_is_refused_at_once_with_its_bytes() {
    let small = ModelConfig { heads: 1, neurons: 1, ..theory() };
    let value = DataShape { outputs: 1, ..SHAPE };
    let deep = complaint(&ModelConfig { depth: 16_000_000, ..small.clone() }, value);
    assert!(deep.contains("model.depth = 16000000") && deep.contains("GB there are"), "{deep}");
    let long = DataShape { tokens: 1 << 20, ..value };
    let lanes = complaint(&ModelConfig { lanes: Lanes::Samples, ..small.clone() }, long);
    assert!(lanes.contains("model.lanes = \"samples\"") && lanes.contains("Use \"auto\""), "{lanes}");
    assert_eq!(complaint(&small, DataShape { tokens: 1 << 14, ..value }), "accepted");
    let absurd = complaint(&small, DataShape { tokens: 1 << 40, ..value });
    assert!(absurd.contains("GB there are"), "{absurd}");
}
