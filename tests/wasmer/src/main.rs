//! Replays stimuli on artifacts with wasmer: a folder in, one trace per case out.
//!
//! The folder holds for each case NAME.json (`inputs` and `outputs` as pairs of port id and limbs, `clocks` as
//! trigger rows, `step` as the index of the only clock or null), NAME.wasm and NAME.stimulus, as
//! `tests/golden/tests/engines.rs` writes them for Node, too. Only the exports of the ABI are used, nothing of the
//! manifest, and nothing of our own libraries.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmer::{Instance, Memory, Module, Store, TypedFunction, imports};

const FINISHED: i32 = 1;
const STOPPED: i32 = 2;
const ASSERTION_FAILED: i32 = 3;
const RING_FULL: i32 = 4;
const EVENT_HEAD: u64 = 1024 + 56;
const EVENT_TAIL: u64 = 1024 + 60;
const DONE: u64 = 1024 + 96;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("a folder is expected")?);
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    cases.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    cases.sort();
    for case in cases {
        let trace = replay(&case).map_err(|e| format!("{}: {e}", case.display()))?;
        fs::write(case.with_extension("trace"), trace)?;
    }
    Ok(())
}

/// What a case says of its artifact.
struct Case {
    /// Ids and limbs.
    inputs: Vec<(i32, usize)>,
    outputs: Vec<(i32, usize)>,
    /// Rows of the trigger table.
    clocks: Vec<u32>,
    /// The only clock.
    step: Option<i32>,
}

impl Case {
    fn read(path: &Path) -> Result<Case> {
        let json: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        let pairs = |key: &str| -> Vec<(i32, usize)> {
            let items = json[key].as_array().into_iter().flatten();
            items.map(|pair| (number(&pair[0]) as i32, number(&pair[1]) as usize)).collect()
        };
        let clocks = json["clocks"].as_array().into_iter().flatten();
        Ok(Case {
            inputs: pairs("inputs"),
            outputs: pairs("outputs"),
            clocks: clocks.map(|row| number(row) as u32).collect(),
            step: json["step"].as_u64().map(|index| index as i32),
        })
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// A running artifact.
struct Model {
    store: Store,
    memory: Memory,
    eval: TypedFunction<(), i32>,
    step: TypedFunction<(i32, i64), i32>,
    edges: TypedFunction<(i64, i64), i32>,
    poke: TypedFunction<(i32, i32, i64), i32>,
    peek: TypedFunction<(i32, i32), i64>,
}

impl Model {
    /// An artifact after power-on.
    fn new(wasm: &[u8]) -> Result<Model> {
        let mut store = Store::default();
        let module = Module::new(&store, wasm)?;
        if module.imports().count() != 0 {
            return Err("it has imports".into());
        }
        let instance = Instance::new(&mut store, &module, &imports! {})?;
        let exports = &instance.exports;
        let reset: TypedFunction<(), i32> = exports.get_typed_function(&store, "rtl_reset")?;
        let mut model = Model {
            memory: exports.get_memory("memory")?.clone(),
            eval: exports.get_typed_function(&store, "rtl_eval")?,
            step: exports.get_typed_function(&store, "rtl_step")?,
            edges: exports.get_typed_function(&store, "rtl_edges")?,
            poke: exports.get_typed_function(&store, "rtl_poke")?,
            peek: exports.get_typed_function(&store, "rtl_peek")?,
            store,
        };
        model.run(|m| Ok(reset.call(&mut m.store)?))?;
        Ok(model)
    }

    /// Events are dropped here; a full ring is drained, and the call goes on.
    fn run(&mut self, mut call: impl FnMut(&mut Model) -> Result<i32>) -> Result<i32> {
        loop {
            let status = call(self)?;
            let view = self.memory.view(&self.store);
            view.write(EVENT_TAIL, &view.copy_range_to_vec(EVENT_HEAD..EVENT_HEAD + 4)?)?;
            if status != RING_FULL {
                return Ok(status);
            }
        }
    }

    fn apply(&mut self, case: &Case, values: &[Vec<u64>]) -> Result<i32> {
        for ((id, limbs), value) in case.inputs.iter().zip(values) {
            for limb in 0..*limbs {
                let word = value.get(limb).copied().unwrap_or(0);
                self.poke.call(&mut self.store, *id, limb as i32, word as i64)?;
            }
        }
        self.run(|m| Ok(m.eval.call(&mut m.store)?))
    }

    fn cycle(&mut self, case: &Case, rising: u64) -> Result<i32> {
        if let Some(clock) = case.step {
            return self.whole_cycle(clock);
        }
        let rows = case.clocks.iter().enumerate();
        let mask = rows.fold(0, |mask, (i, row)| mask | (rising >> i & 1) << row) as i64;
        if case.clocks.is_empty() {
            return Ok(0);
        }
        match self.run(|m| Ok(m.edges.call(&mut m.store, mask, 0)?))? {
            0 => self.run(|m| Ok(m.edges.call(&mut m.store, 0, mask)?)),
            status => Ok(status),
        }
    }

    /// One cycle to its end; a stop or a failed assertion in it is no end.
    fn whole_cycle(&mut self, clock: i32) -> Result<i32> {
        let (mut first, mut left) = (0, 1u64);
        while left > 0 {
            let mut done = 0;
            let status = self.run(|m| {
                let status = m.step.call(&mut m.store, clock, (left - done) as i64)?;
                let mut bytes = [0; 8];
                m.memory.view(&m.store).read(DONE, &mut bytes)?;
                done += u64::from_le_bytes(bytes);
                Ok(status)
            })?;
            left -= done;
            first = if first == 0 { status } else { first };
            if ![STOPPED, ASSERTION_FAILED].contains(&status) {
                break;
            }
        }
        Ok(first)
    }

    fn sample(&mut self, case: &Case) -> Result<String> {
        let mut values = Vec::new();
        for (id, limbs) in &case.outputs {
            let mut text = String::new();
            for limb in (0..*limbs).rev() {
                let word = self.peek.call(&mut self.store, *id, limb as i32)?;
                write!(text, "{word:016x}")?;
            }
            values.push(text);
        }
        Ok(values.join(" "))
    }
}

fn replay(path: &Path) -> Result<String> {
    let case = Case::read(path)?;
    let mut model = Model::new(&fs::read(path.with_extension("wasm"))?)?;
    let stimulus = fs::read_to_string(path.with_extension("stimulus"))?;
    let mut rows = stimulus.lines().map(|line| line.split(' ').map(limbs).collect::<Vec<_>>());
    let power_on = rows.next().ok_or("an empty stimulus")?;
    model.apply(&case, &power_on[1..])?;
    let mut trace = String::new();
    for row in rows {
        let mut status = model.apply(&case, &row[1..])?;
        if status == 0 {
            status = model.cycle(&case, row[0][0])?;
        }
        writeln!(trace, "{status} {}", model.sample(&case)?)?;
        if status == FINISHED {
            break;
        }
    }
    Ok(trace)
}

/// A hexadecimal number in limbs, the lowest first.
fn limbs(digits: &str) -> Vec<u64> {
    let digits = digits.as_bytes();
    let limb = |chunk: &[u8]| {
        let text = std::str::from_utf8(chunk).expect("digits");
        u64::from_str_radix(text, 16).expect("a hexadecimal number")
    };
    digits.rchunks(16).map(limb).collect()
}
