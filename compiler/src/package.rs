//! The finished artifact: unused functions out, Binaryen over it, the manifest in.

use std::collections::BTreeMap;

use rtlwasm_abi::manifest::{self, Manifest, Symbols};
use rtlwasm_abi::{ABI_MAJOR, ABI_MINOR, FEATURES, MANIFEST_SECTION, SYMBOLS_SECTION};
use sha2::{Digest, Sha256};

use crate::emit::{Access, Emitted, HALF_PERIOD, SignalRow, feature_bits};
use crate::ir::*;
use crate::layout::{EffectSlot, Layout};
use crate::options::{ClockOrder, OptLevel, Options, Poke, Strip, Undef};
use crate::sched::Schedule;

/// The bytes of an artifact and what they say of themselves.
#[derive(Clone, Debug)]
pub struct Packaged {
    pub wasm: Vec<u8>,
    pub manifest: Manifest,
    pub symbols: Symbols,
}

/// Packages an emitted module.
pub fn artifact(
    n: &Netlist,
    schedule: &Schedule,
    layout: &Layout,
    emitted: Emitted,
    options: &Options,
) -> Packaged {
    let Emitted {
        mut module,
        buffers: _,
        reserves,
        rows,
        layout_hash,
        trigger_signals,
        trace_reserve,
    } = emitted;
    walrus::passes::gc::run(&mut module);
    let mut wasm = shrink(module.emit_wasm(), options.opt_level);
    let design_hash = hex(&Sha256::digest(&wasm)[..8]);
    let signals: Vec<manifest::Signal> = rows.iter().map(|r| signal(n, r)).collect();
    let ports = rows.iter().filter(|r| r.port).count();
    let manifest = Manifest {
        schema: manifest::SCHEMA,
        abi: format!("{ABI_MAJOR}.{ABI_MINOR}"),
        top: n.top.clone(),
        design_hash,
        layout_hash: format!("{layout_hash:016x}"),
        toolchain: toolchain(options),
        features: feature_names(n, options),
        undef: undef_name(options.undef).into(),
        clock_order: if options.clock_order == ClockOrder::Verilog {
            "verilog"
        } else {
            "delta"
        }
        .into(),
        time_unit: -9,
        state: manifest::Region {
            base: layout.state_base.into(),
            len: layout.state_len,
        },
        scalars: manifest::Region {
            base: layout.state_base.into(),
            len: u64::from(layout.scalars_end - layout.state_base),
        },
        event_reserve: reserves.event,
        trace_reserve,
        clocks: clocks(n, schedule, layout, &rows, &trigger_signals),
        resets: resets(n, layout, &rows, &trigger_signals),
        types: n.types.values().map(value_type).collect(),
        events: n
            .effects
            .iter()
            .enumerate()
            .map(|(i, e)| {
                let cover = match layout.effects[i] {
                    EffectSlot::Cover(at) => Some(at.into()),
                    _ => None,
                };
                event(n, e, cover, options)
            })
            .collect(),
        outline_groups: u32::from(rows.iter().any(|r| r.outlined)),
        plusargs: plusargs(n, &rows),
        signals: signals[..ports].to_vec(),
    };
    let symbols = Symbols {
        signals: signals[ports..].to_vec(),
    };
    append_section(&mut wasm, MANIFEST_SECTION, &sorted_json(&manifest));
    if options.strip == Strip::Full {
        append_section(&mut wasm, SYMBOLS_SECTION, &sorted_json(&symbols));
    }
    Packaged {
        wasm,
        manifest,
        symbols,
    }
}

/// JSON with sorted keys and no spaces.
pub fn sorted_json(value: &impl serde::Serialize) -> Vec<u8> {
    let value = serde_json::to_value(value).expect("manifest types serialise");
    serde_json::to_vec(&sorted(&value)).expect("JSON values serialise")
}

/// Sorting does not rely on how the JSON library was configured by others.
fn sorted(value: &serde_json::Value) -> Sorted<'_> {
    match value {
        serde_json::Value::Object(map) => {
            Sorted::Object(map.iter().map(|(k, v)| (k.as_str(), sorted(v))).collect())
        }
        serde_json::Value::Array(items) => Sorted::Array(items.iter().map(sorted).collect()),
        other => Sorted::Leaf(other),
    }
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Sorted<'a> {
    Object(BTreeMap<&'a str, Sorted<'a>>),
    Array(Vec<Sorted<'a>>),
    Leaf(&'a serde_json::Value),
}

fn append_section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = Vec::with_capacity(content.len() + name.len() + 5);
    leb128(&mut body, name.len());
    body.extend(name.as_bytes());
    body.extend(content);
    wasm.push(0);
    leb128(wasm, body.len());
    wasm.extend(body);
}

fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

/// Bytes of code from which on what Binaryen saves, a twentieth of them, is not worth its time at `-O2`: a large design
/// is mostly names.
#[cfg(feature = "wasm-opt")]
const LARGE: usize = 512 << 10;

/// Binaryen. At `-O2` only the passes that make code smaller and not slower, and that take little time: its
/// whole first level adds 2 % of machine instructions, half the compile time, and saves another 3 %.
#[cfg(feature = "wasm-opt")]
fn shrink(wasm: Vec<u8>, level: OptLevel) -> Vec<u8> {
    use wasm_opt::{Feature, OptimizationOptions, Pass};
    let mut options = match level {
        OptLevel::O0 | OptLevel::O1 => return wasm,
        OptLevel::O2 if wasm.len() > LARGE => return wasm,
        OptLevel::O2 => OptimizationOptions::new_opt_level_0(),
        OptLevel::O3 => OptimizationOptions::new_opt_level_3(),
    };
    if level == OptLevel::O2 {
        let passes = [
            Pass::Precompute,
            Pass::Dce,
            Pass::RemoveUnusedBrs,
            Pass::SimplifyLocalsNostructure,
            Pass::Vacuum,
            Pass::CoalesceLocals,
            Pass::RecorderLocals,
            Pass::Vacuum,
            Pass::MergeBlocks,
            Pass::RemoveUnusedModuleElements,
        ];
        options.passes.more_passes.extend(passes);
    }
    options
        .mvp_features_only()
        .enable_feature(Feature::BulkMemory)
        .enable_feature(Feature::SignExt);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (
        folder.path().join("in.wasm"),
        folder.path().join("out.wasm"),
    );
    std::fs::write(&from, &wasm).expect("writing a temporary file");
    options
        .run(&from, &to)
        .unwrap_or_else(|e| panic!("wasm-opt refuses an emitted module: {e}"));
    std::fs::read(&to).expect("reading a temporary file")
}

#[cfg(not(feature = "wasm-opt"))]
fn shrink(wasm: Vec<u8>, _: OptLevel) -> Vec<u8> {
    wasm
}

fn toolchain(options: &Options) -> manifest::Toolchain {
    manifest::Toolchain {
        compiler: format!("rtlwasm {}", env!("CARGO_PKG_VERSION")),
        opt_level: options.opt_level as u32,
        strip: if options.strip == Strip::Full {
            "full"
        } else {
            "ports"
        }
        .into(),
        poke: match &options.poke {
            Poke::All => "all".into(),
            Poke::Ports => "ports".into(),
            Poke::Glob(glob) => glob.clone(),
        },
    }
}

fn feature_names(n: &Netlist, options: &Options) -> Vec<String> {
    let bits = feature_bits(n, options.trace);
    FEATURES
        .iter()
        .filter(|f| bits >> f.bit & 1 == 1)
        .map(|f| f.name.to_string())
        .collect()
}

fn undef_name(undef: Undef) -> &'static str {
    match undef {
        Undef::Zero => "zero",
        Undef::Ones => "ones",
        Undef::Random => "random",
    }
}

/// Requests for plusargs: a flag, and a value where the request has a format.
fn plusargs(n: &Netlist, rows: &[SignalRow]) -> Vec<manifest::Plusarg> {
    let requests = n.host_inputs();
    let mut found: Vec<manifest::Plusarg> = Vec::new();
    for (id, row) in rows.iter().enumerate().filter(|(_, r)| r.port) {
        let SignalValue::Cell(cell) = n.signals[row.signal].value else {
            continue;
        };
        let Some(name) = requests.get(&cell) else {
            continue;
        };
        let id = id as u32;
        // The flag and the value of one request follow each other.
        match found.last_mut() {
            Some(last) if last.name == **name && last.value.is_none() && row.width > 1 => {
                last.value = Some(id)
            }
            _ if row.width == 1 => {
                found.push(manifest::Plusarg {
                    name: name.to_string(),
                    found: id,
                    value: None,
                });
            }
            _ => {}
        }
    }
    found
}

fn signal(n: &Netlist, row: &SignalRow) -> manifest::Signal {
    let signal = &n.signals[row.signal];
    manifest::Signal {
        path: row.path.clone(),
        kind: row.kind.into(),
        access: row.access.name().into(),
        width: row.width,
        signed: signal.signed,
        lsb: signal.lsb,
        upto: signal.upto,
        parts: row.parts.clone(),
        stride: row.stride,
        depth: if row.kind == "memory" { row.rows } else { 0 },
        first: row.first,
        inout: row.inout.map(|ids| ids.map(|i| i as u32)),
        ty: signal.ty.map(|t| t.index() as u32),
        value: row.constant.as_ref().map(|c| c.to_hex()),
        alias_of: row.alias_of.map(|i| i as u32),
        outline: (row.outlined && row.access == Access::Call).then_some(0),
        source: source(n, signal.source),
    }
}

fn source(n: &Netlist, id: SourceId) -> Option<String> {
    n.sources.get(id).filter(|s| !s.is_empty()).cloned()
}

fn value_type(ty: &ValueType) -> manifest::Type {
    let variants = ty
        .variants
        .iter()
        .map(|(name, value)| (name.clone(), value.to_hex()))
        .collect();
    manifest::Type {
        name: ty.name.clone(),
        width: ty.width,
        variants,
    }
}

fn trigger_name(rows: &[SignalRow], signal: u32, row: usize) -> String {
    rows.get(signal as usize)
        .map_or_else(|| format!("trigger{row}"), |r| r.path.join("."))
}

fn clocks(
    n: &Netlist,
    schedule: &Schedule,
    layout: &Layout,
    rows: &[SignalRow],
    trigger_signals: &[u32],
) -> Vec<manifest::Clock> {
    let clocks = layout
        .rows
        .iter()
        .enumerate()
        .filter(|(_, t)| n.triggers[**t].role != TriggerRole::AsyncLoad);
    clocks
        .map(|(row, id)| {
            let signal = trigger_signals[id.index()];
            let all = schedule
                .domains
                .domains
                .iter()
                .flat_map(|d| &d.clocks)
                .filter(|c| c.trigger == *id);
            let (rise, fall) = all.fold((false, false), |(rise, fall), c| {
                (rise || c.edge.matches(true), fall || c.edge.matches(false))
            });
            manifest::Clock {
                trigger: row as u32,
                name: trigger_name(rows, signal, row),
                signal: (signal != u32::MAX).then_some(signal),
                edge: match (rise, fall) {
                    (true, true) => "both",
                    (false, true) => "fall",
                    _ => "rise",
                }
                .into(),
                derived: n.triggers[*id].role == TriggerRole::DerivedClock,
                high: HALF_PERIOD,
                low: HALF_PERIOD,
            }
        })
        .collect()
}

fn resets(
    n: &Netlist,
    layout: &Layout,
    rows: &[SignalRow],
    trigger_signals: &[u32],
) -> Vec<manifest::Reset> {
    let mut resets: BTreeMap<u32, u32> = BTreeMap::new();
    for load in n.registers.values().filter_map(|r| r.load) {
        if let Some(trigger) = load.trigger {
            let active = u32::from(load.when == n.triggers[trigger].net);
            resets.entry(layout.row(trigger)).or_insert(active);
        }
    }
    resets
        .into_iter()
        .map(|(row, active)| {
            let signal = trigger_signals[layout.rows[row as usize].index()];
            manifest::Reset {
                trigger: Some(row),
                name: trigger_name(rows, signal, row as usize),
                signal: (signal != u32::MAX).then_some(signal),
                active,
                asynchronous: true,
            }
        })
        .collect()
}

/// What hosts must know of an effect; `cover` is where its counter lies, if it has one.
pub(crate) fn event(
    n: &Netlist,
    effect: &Effect,
    cover: Option<u64>,
    options: &Options,
) -> manifest::EventSite {
    use EffectKind::*;
    let (kind, action) = match effect.kind {
        Display => ("display", "continue"),
        Info => ("info", "continue"),
        Warning => ("warning", "continue"),
        Error => ("error", "continue"),
        Fatal => ("fatal", "fail"),
        Finish => ("finish", "finish"),
        Stop => ("stop", "stop"),
        Assert => ("assert", "fail"),
        Assume => ("assume", "fail"),
        Cover => ("cover", "continue"),
    };
    let named = options.strip == Strip::Full;
    manifest::EventSite {
        kind: kind.into(),
        name: if named {
            effect.name.clone()
        } else {
            String::new()
        },
        message: effect.message.iter().map(message_part).collect(),
        args: effect
            .args
            .iter()
            .map(|a| manifest::EventArg {
                width: n.width(a.value),
                signed: a.signed,
            })
            .collect(),
        action: action.into(),
        source: if named {
            source(n, effect.origin.source)
        } else {
            None
        },
        cover,
    }
}

fn message_part(part: &MessagePart) -> manifest::MessagePart {
    let layout = |l: &NumberLayout| manifest::NumberLayout {
        width: l.width,
        left: l.justify == Justify::Left,
        zero_pad: l.zero_pad,
        plus: l.plus,
        space: l.space,
        prefix: l.prefix,
        group: l.group,
    };
    match part {
        MessagePart::Text(text) => manifest::MessagePart::Text { text: text.clone() },
        MessagePart::Number {
            arg,
            base,
            layout: l,
        } => manifest::MessagePart::Number {
            arg: *arg as u32,
            base: match base {
                Base::Binary => 2,
                Base::Octal => 8,
                Base::Decimal => 10,
                Base::Hex | Base::UpperHex => 16,
            },
            upper: *base == Base::UpperHex,
            layout: layout(l),
        },
        MessagePart::Chars { arg, layout: l } => manifest::MessagePart::Chars {
            arg: *arg as u32,
            layout: layout(l),
        },
        MessagePart::Time { real, layout: l } => manifest::MessagePart::Time {
            real: *real,
            layout: layout(l),
        },
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
