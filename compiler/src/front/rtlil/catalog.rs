//! What each Yosys cell type is to the reader: one table, from type name to class.
//!
//! Word-level and gate-level cells meet here: a gate is the word-level operation at width 1, or a
//! boolean formula; a fine-grained flip-flop is the general one with its controls spelled in its name.

use super::ast::Name;
use super::known::name;

/// What to do with a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Its outputs are functions of its inputs.
    Comb(Op),
    /// Flip-flops and latches.
    Storage(Storage),
    Memory(MemoryCell),
    Effect(EffectCell),
    /// Connects `A` and `B`.
    Wire,
    /// Means nothing in simulation; dropped in silence.
    Ignored,
    /// Means nothing in a cycle simulation; dropped with a warning.
    Dropped(&'static str),
    /// Known, but not a thing to simulate as it stands; says what to do.
    Unsupported(&'static str),
    /// Not a Yosys cell type that is known here.
    Unknown,
}

/// A combinational operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    // One result bit depends on the same bit of the operands (and on selects).
    Buf,
    Not,
    And,
    Or,
    Xor,
    Xnor,
    AndNot,
    OrNot,
    Nand,
    Nor,
    Mux,
    NotMux,
    Pmux,
    BitMux,
    BitEq,
    Tristate,
    // The rest.
    Neg,
    ReduceAnd,
    ReduceOr,
    ReduceXor,
    ReduceXnor,
    LogicNot,
    LogicAnd,
    LogicOr,
    Shl,
    Shr,
    Sshr,
    Shift,
    Shiftx,
    Lt,
    Le,
    Eq,
    Ne,
    Ge,
    Gt,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    DivFloor,
    ModFloor,
    Pow,
    Slice,
    Concat,
    Bmux,
    Demux,
    Lut,
    Sop,
    FullAdder,
    Lookahead,
    Alu,
    Macc,
    MaccV2,
    /// `$_MUX4_` and larger: the number of selects.
    GateMux(u8),
    /// `!((A & B) | C)`, `!((A | B) & C)`, and with `D` beside `C`.
    Aoi3,
    Oai3,
    Aoi4,
    Oai4,
}

impl Op {
    /// The output ports; [`Op`] numbers them from 0 in this order.
    pub fn outputs(self) -> &'static [Name] {
        const Y: &[Name] = &[name!("Y")];
        match self {
            Op::FullAdder => &[name!("X"), name!("Y")],
            Op::Alu => &[name!("X"), name!("Y"), name!("CO")],
            Op::Lookahead => &[name!("CO")],
            _ => Y,
        }
    }

    /// True when each result bit depends on one bit of each operand.
    pub fn is_bitwise(self) -> bool {
        use Op::*;
        matches!(
            self,
            Buf | Not
                | And
                | Or
                | Xor
                | Xnor
                | AndNot
                | OrNot
                | Nand
                | Nor
                | Mux
                | NotMux
                | Pmux
                | BitMux
                | BitEq
                | Tristate
        )
    }
}

/// A level or edge control of a storage cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    pub port: Name,
    pub active: Active,
}

/// Which level or edge of a control acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Active {
    High,
    Low,
    /// As a parameter says.
    Parameter(Name),
}

/// What a reset gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetValue {
    Bit(bool),
    Parameter(Name),
}

/// A flip-flop (with a clock) or latch (without).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    pub clock: Option<Control>,
    /// Latches: the gate.
    pub enable: Option<Control>,
    pub async_reset: Option<(Control, ResetValue)>,
    pub sync_reset: Option<(Control, ResetValue)>,
    /// With data on `AD`.
    pub load: Option<Control>,
    /// Bit by bit; clear is stronger.
    pub set: Option<Control>,
    pub clear: Option<Control>,
    /// The enable gates the synchronous reset too.
    pub enable_over_reset: bool,
}

/// Memories and their ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryCell {
    Read,
    ReadV2,
    Write,
    WriteV2,
    Init,
    InitV2,
    Whole,
    WholeV2,
}

/// Cells that tell something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectCell {
    Print,
    Check,
    Assert,
    Assume,
    Cover,
}

const FREE: &str = "a value that a solver chooses has no meaning in simulation; make it an input, or remove it with the \
     Yosys passes `delete t:$any* t:$all*` and `setundef -undriven -zero`";
const INITSTATE: &str = "the first step of a formal trace has no meaning in simulation; remove it with the Yosys passes \
     `delete t:$initstate` and `setundef -undriven -zero`";
const GLOBAL_CLOCK: &str = "there is no global clock here; leave out the Yosys passes `clk2fflogic` and `formalff`, which \
     make such cells of clocked flip-flops";
const EQUIVALENCE: &str =
    "it belongs to an equivalence check; lower it with the Yosys pass `equiv_remove -gold`";
const TIMING: &str = "timing checks and path delays are not simulated";
const LIVENESS: &str = "a liveness property cannot fail in a finite simulation";

/// The class of a cell type; `text` starts with `$`.
pub fn classify(text: &str) -> Class {
    use Class::*;
    if let Some(op) = comb(text) {
        return Comb(op);
    }
    if let Some(storage) = word_storage(text).or_else(|| gate_storage(text)) {
        return Storage(storage);
    }
    match text {
        "$memrd" => Memory(MemoryCell::Read),
        "$memrd_v2" => Memory(MemoryCell::ReadV2),
        "$memwr" => Memory(MemoryCell::Write),
        "$memwr_v2" => Memory(MemoryCell::WriteV2),
        "$meminit" => Memory(MemoryCell::Init),
        "$meminit_v2" => Memory(MemoryCell::InitV2),
        "$mem" => Memory(MemoryCell::Whole),
        "$mem_v2" => Memory(MemoryCell::WholeV2),
        "$print" => Effect(EffectCell::Print),
        "$check" => Effect(EffectCell::Check),
        "$assert" => Effect(EffectCell::Assert),
        "$assume" => Effect(EffectCell::Assume),
        "$cover" => Effect(EffectCell::Cover),
        "$connect" => Wire,
        "$scopeinfo" | "$input_port" | "$output_port" | "$public" | "$overwrite_tag" => Ignored,
        "$specify2" | "$specify3" | "$specrule" => Dropped(TIMING),
        "$live" | "$fair" => Dropped(LIVENESS),
        "$anyconst" | "$anyseq" | "$allconst" | "$allseq" => Unsupported(FREE),
        "$initstate" => Unsupported(INITSTATE),
        "$equiv" => Unsupported(EQUIVALENCE),
        "$ff" | "$_FF_" | "$anyinit" => Unsupported(GLOBAL_CLOCK),
        "$fsm" => Unsupported("lower it with the Yosys pass `fsm_map`"),
        _ => Unknown,
    }
}

fn comb(text: &str) -> Option<Op> {
    use Op::*;
    Some(match text {
        "$not" | "$_NOT_" => Not,
        "$pos" | "$buf" | "$_BUF_" | "$barrier" | "$set_tag" | "$get_tag" | "$original_tag"
        | "$future_ff" => Buf,
        "$neg" => Neg,
        "$and" | "$_AND_" => And,
        "$or" | "$_OR_" => Or,
        "$xor" | "$_XOR_" => Xor,
        "$xnor" | "$_XNOR_" => Xnor,
        "$_NAND_" => Nand,
        "$_NOR_" => Nor,
        "$_ANDNOT_" => AndNot,
        "$_ORNOT_" => OrNot,
        "$reduce_and" => ReduceAnd,
        "$reduce_or" | "$reduce_bool" => ReduceOr,
        "$reduce_xor" => ReduceXor,
        "$reduce_xnor" => ReduceXnor,
        "$logic_not" => LogicNot,
        "$logic_and" => LogicAnd,
        "$logic_or" => LogicOr,
        "$shl" | "$sshl" => Shl,
        "$shr" => Shr,
        "$sshr" => Sshr,
        "$shift" => Shift,
        "$shiftx" => Shiftx,
        "$lt" => Lt,
        "$le" => Le,
        "$eq" | "$eqx" => Eq,
        "$ne" | "$nex" => Ne,
        "$ge" => Ge,
        "$gt" => Gt,
        "$add" => Add,
        "$sub" => Sub,
        "$mul" => Mul,
        "$div" => Div,
        "$mod" => Mod,
        "$divfloor" => DivFloor,
        "$modfloor" => ModFloor,
        "$pow" => Pow,
        "$slice" => Slice,
        "$concat" => Concat,
        "$mux" | "$_MUX_" => Mux,
        "$_NMUX_" => NotMux,
        "$pmux" => Pmux,
        "$bmux" => Bmux,
        "$demux" => Demux,
        "$bwmux" => BitMux,
        "$bweqx" => BitEq,
        "$tribuf" | "$_TBUF_" => Tristate,
        "$lut" => Lut,
        "$sop" => Sop,
        "$fa" => FullAdder,
        "$lcu" => Lookahead,
        "$alu" => Alu,
        "$macc" => Macc,
        "$macc_v2" => MaccV2,
        "$_MUX4_" => GateMux(2),
        "$_MUX8_" => GateMux(3),
        "$_MUX16_" => GateMux(4),
        "$_AOI3_" => Aoi3,
        "$_OAI3_" => Oai3,
        "$_AOI4_" => Aoi4,
        "$_OAI4_" => Oai4,
        _ => return None,
    })
}

/// Word-level flip-flops and latches: each letter is a control with its polarity as a parameter.
fn word_storage(text: &str) -> Option<Storage> {
    let controls = match text {
        "$dff" => "C",
        "$dffe" => "CE",
        "$adff" => "CA",
        "$adffe" => "CAE",
        "$sdff" => "CY",
        "$sdffe" | "$sdffce" => "CYE",
        "$aldff" => "CL",
        "$aldffe" => "CLE",
        "$dffsr" => "CSR",
        "$dffsre" => "CSRE",
        "$dlatch" => "E",
        "$adlatch" => "EA",
        "$dlatchsr" => "ESR",
        "$sr" => "SR",
        _ => return None,
    };
    let at = |port, polarity| Control {
        port,
        active: Active::Parameter(polarity),
    };
    let mut storage = Storage {
        enable_over_reset: text == "$sdffce",
        ..Storage::default()
    };
    for control in controls.bytes() {
        match control {
            b'C' => storage.clock = Some(at(name!("CLK"), name!("CLK_POLARITY"))),
            b'E' => storage.enable = Some(at(name!("EN"), name!("EN_POLARITY"))),
            b'S' => storage.set = Some(at(name!("SET"), name!("SET_POLARITY"))),
            b'R' => storage.clear = Some(at(name!("CLR"), name!("CLR_POLARITY"))),
            b'L' => storage.load = Some(at(name!("ALOAD"), name!("ALOAD_POLARITY"))),
            b'A' => {
                let control = at(name!("ARST"), name!("ARST_POLARITY"));
                storage.async_reset = Some((control, ResetValue::Parameter(name!("ARST_VALUE"))));
            }
            _ => {
                let control = at(name!("SRST"), name!("SRST_POLARITY"));
                storage.sync_reset = Some((control, ResetValue::Parameter(name!("SRST_VALUE"))));
            }
        }
    }
    Some(storage)
}

/// `$_FAMILY_LETTERS_`: each letter is the polarity of a control or the value of a reset.
fn gate_storage(text: &str) -> Option<Storage> {
    let (family, letters) = text
        .strip_prefix("$_")?
        .strip_suffix('_')?
        .split_once('_')?;
    let (controls, over) = match (family, letters.len()) {
        ("DFF", 1) => ("C", false),
        ("DFFE", 2) => ("CE", false),
        ("DFF", 3) => ("CRv", false),
        ("DFFE", 4) => ("CRvE", false),
        ("ALDFF", 2) => ("CL", false),
        ("ALDFFE", 3) => ("CLE", false),
        ("DFFSR", 3) => ("CSr", false),
        ("DFFSRE", 4) => ("CSrE", false),
        ("SDFF", 3) => ("CYv", false),
        ("SDFFE", 4) => ("CYvE", false),
        ("SDFFCE", 4) => ("CYvE", true),
        ("DLATCH", 1) => ("E", false),
        ("DLATCH", 3) => ("ERv", false),
        ("DLATCHSR", 3) => ("ESr", false),
        ("SR", 2) => ("Sr", false),
        _ => return None,
    };
    let mut storage = Storage {
        enable_over_reset: over,
        ..Storage::default()
    };
    for (control, letter) in controls.bytes().zip(letters.bytes()) {
        let active = match (control, letter) {
            (b'v', b'0' | b'1') => {
                let value = ResetValue::Bit(letter == b'1');
                for reset in [&mut storage.async_reset, &mut storage.sync_reset]
                    .into_iter()
                    .flatten()
                {
                    reset.1 = value;
                }
                continue;
            }
            (b'v', _) => return None,
            (_, b'P') => Active::High,
            (_, b'N') => Active::Low,
            _ => return None,
        };
        let at = |port| Some(Control { port, active });
        match control {
            b'C' => storage.clock = at(name!("C")),
            b'E' => storage.enable = at(name!("E")),
            b'R' => storage.async_reset = at(name!("R")).map(|c| (c, ResetValue::Bit(false))),
            b'Y' => storage.sync_reset = at(name!("R")).map(|c| (c, ResetValue::Bit(false))),
            b'L' => storage.load = at(name!("L")),
            b'S' => storage.set = at(name!("S")),
            _ => storage.clear = at(name!("R")),
        }
    }
    Some(storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_flip_flops() {
        let Class::Storage(s) = classify("$_SDFFCE_NP1P_") else {
            panic!("a flip-flop")
        };
        assert_eq!(
            s.clock,
            Some(Control {
                port: name!("C"),
                active: Active::Low
            })
        );
        let reset = Control {
            port: name!("R"),
            active: Active::High,
        };
        assert_eq!(s.sync_reset, Some((reset, ResetValue::Bit(true))));
        assert!(s.enable_over_reset && s.async_reset.is_none());
        assert_eq!(classify("$_DFF_Q_"), Class::Unknown);
        assert_eq!(classify("$_FF_"), Class::Unsupported(GLOBAL_CLOCK));
    }
}
