//! Names that the reader itself asks for: ports, parameters and attributes of Yosys' cells.
//!
//! They are interned first, so that each is a constant: `name!("A")` is the name `\A`.

use super::ast::Name;

/// In the order of their numbers; the first stands for no name at all.
pub const KNOWN: &[&str] = &[
    "",
    "\\src",
    "\\top",
    "\\init",
    "\\hdlname",
    "\\blackbox",
    "\\enum_type",
    "\\enum_base_type",
    "\\wiretype",
    "\\rtlwasm_random",
    "\\rtlwasm_plusarg",
    "\\A",
    "\\B",
    "\\C",
    "\\D",
    "\\E",
    "\\F",
    "\\G",
    "\\H",
    "\\I",
    "\\J",
    "\\K",
    "\\L",
    "\\M",
    "\\N",
    "\\O",
    "\\P",
    "\\Q",
    "\\R",
    "\\S",
    "\\T",
    "\\U",
    "\\V",
    "\\X",
    "\\Y",
    "\\CI",
    "\\BI",
    "\\CO",
    "\\AD",
    "\\CLK",
    "\\EN",
    "\\ARST",
    "\\SRST",
    "\\SET",
    "\\CLR",
    "\\ALOAD",
    "\\A_SIGNED",
    "\\B_SIGNED",
    "\\C_SIGNED",
    "\\WIDTH",
    "\\S_WIDTH",
    "\\OFFSET",
    "\\LUT",
    "\\TABLE",
    "\\DEPTH",
    "\\CONFIG",
    "\\NPRODUCTS",
    "\\NADDENDS",
    "\\A_WIDTHS",
    "\\B_WIDTHS",
    "\\C_WIDTHS",
    "\\PRODUCT_NEGATED",
    "\\ADDEND_NEGATED",
    "\\CLK_POLARITY",
    "\\EN_POLARITY",
    "\\ARST_POLARITY",
    "\\SRST_POLARITY",
    "\\SET_POLARITY",
    "\\CLR_POLARITY",
    "\\ALOAD_POLARITY",
    "\\ARST_VALUE",
    "\\SRST_VALUE",
    "\\INIT_VALUE",
    "\\MEMID",
    "\\SIZE",
    "\\ABITS",
    "\\INIT",
    "\\RD_PORTS",
    "\\RD_CLK_ENABLE",
    "\\RD_CLK_POLARITY",
    "\\RD_TRANSPARENT",
    "\\RD_TRANSPARENCY_MASK",
    "\\RD_WIDE_CONTINUATION",
    "\\RD_CE_OVER_SRST",
    "\\RD_ARST_VALUE",
    "\\RD_SRST_VALUE",
    "\\RD_INIT_VALUE",
    "\\WR_PORTS",
    "\\WR_CLK_ENABLE",
    "\\WR_CLK_POLARITY",
    "\\WR_PRIORITY_MASK",
    "\\WR_WIDE_CONTINUATION",
    "\\RD_CLK",
    "\\RD_EN",
    "\\RD_ARST",
    "\\RD_SRST",
    "\\RD_ADDR",
    "\\RD_DATA",
    "\\WR_CLK",
    "\\WR_EN",
    "\\WR_ADDR",
    "\\WR_DATA",
    "\\ADDR",
    "\\DATA",
    "\\CLK_ENABLE",
    "\\TRANSPARENT",
    "\\TRANSPARENCY_MASK",
    "\\CE_OVER_SRST",
    "\\PORTID",
    "\\PRIORITY",
    "\\PRIORITY_MASK",
    "\\WORDS",
    "\\FORMAT",
    "\\ARGS",
    "\\ARGS_WIDTH",
    "\\TRG",
    "\\TRG_ENABLE",
    "\\TRG_WIDTH",
    "\\TRG_POLARITY",
    "\\FLAVOR",
    "\\W",
];

/// The number of a known name; fails to compile for others.
pub const fn known(text: &str) -> Name {
    let mut index = 1;
    while index < KNOWN.len() {
        if same(KNOWN[index].as_bytes(), text.as_bytes()) {
            return Name(index as u32);
        }
        index += 1;
    }
    panic!("not in KNOWN");
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// A known name as a constant, without its `\`.
macro_rules! name {
    ($text:literal) => {
        const { $crate::front::rtlil::known::known(concat!("\\", $text)) }
    };
}
pub(super) use name;
