//! SPEC.md names every key that a manifest can have: manifests with every field set in, the keys that are missing out.

use std::collections::BTreeSet;

use rtlwasm_abi::manifest::*;
use serde_json::Value;

const SPEC: &str = include_str!("../SPEC.md");

#[test]
fn every_key_is_described() {
    let mut keys = BTreeSet::new();
    collect(
        &serde_json::to_value(manifest()).expect("it serialises"),
        &mut keys,
    );
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !SPEC.contains(&format!("`{key}`")))
        .collect();
    assert!(missing.is_empty(), "SPEC.md does not name {missing:?}");
}

fn collect(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| {
            keys.insert(key.clone());
            collect(inner, keys);
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, keys)),
        _ => {}
    }
}

fn manifest() -> Manifest {
    Manifest {
        clocks: vec![Clock {
            trigger: 0,
            name: "clk".into(),
            signal: Some(0),
            edge: "rise".into(),
            derived: false,
            high: 1,
            low: 1,
        }],
        resets: vec![Reset {
            trigger: Some(1),
            name: "rst".into(),
            signal: Some(1),
            active: 1,
            asynchronous: true,
        }],
        types: vec![Type {
            name: "state".into(),
            width: 1,
            variants: vec![("idle".into(), "0".into())],
        }],
        events: vec![site()],
        plusargs: vec![Plusarg {
            name: "seed=%d".into(),
            found: 0,
            value: Some(1),
        }],
        signals: vec![signal()],
        ..Manifest::default()
    }
}

fn site() -> EventSite {
    let layout = NumberLayout::default();
    EventSite {
        kind: "display".into(),
        name: "say".into(),
        message: vec![
            MessagePart::Text { text: "a".into() },
            MessagePart::Number {
                arg: 0,
                base: 10,
                upper: false,
                layout,
            },
            MessagePart::Chars { arg: 0, layout },
            MessagePart::Time {
                real: false,
                layout,
            },
        ],
        args: vec![EventArg {
            width: 8,
            signed: false,
        }],
        action: "continue".into(),
        source: Some("a.v:1.1".into()),
        cover: Some(0),
    }
}

fn signal() -> Signal {
    Signal {
        path: vec!["a".into()],
        kind: "wire".into(),
        access: "r".into(),
        width: 8,
        signed: true,
        lsb: 1,
        upto: true,
        parts: vec![Part {
            offset: 0,
            size: 1,
            shift: 0,
            width: 8,
        }],
        stride: 1,
        depth: 1,
        first: 1,
        inout: Some([0, 1, 2]),
        ty: Some(0),
        value: Some("0".into()),
        alias_of: Some(0),
        outline: Some(0),
        source: Some("a.v:1.1".into()),
    }
}
