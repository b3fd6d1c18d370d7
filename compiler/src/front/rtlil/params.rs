//! Parameters of cells, read leniently: what is missing is zero.

use super::ast::*;
use super::known::name;
use super::lexer::unescape;
use crate::bits::Bits;

/// The value of a parameter.
pub fn find(module: &Module, cell: &Cell, wanted: Name) -> Option<Value> {
    let given = cell.parameters.of(&module.parameters);
    given.iter().find(|(n, _)| *n == wanted).map(|(_, v)| *v)
}

/// A parameter as bits, zero-extended or cut; undefined bits are zero.
pub fn bits(design: &Design, module: &Module, cell: &Cell, wanted: Name, width: u32) -> Bits {
    match find(module, cell, wanted) {
        Some(value) => value_bits(design, value).value.zext(width),
        None => Bits::zero(width),
    }
}

/// A parameter with its undefined bits; empty when it is not given.
pub fn constant(design: &Design, module: &Module, cell: &Cell, wanted: Name) -> Const {
    match find(module, cell, wanted) {
        Some(value) => value_bits(design, value),
        None => Const {
            value: Bits::zero(0),
            other: None,
        },
    }
}

/// Any value as bits; strings are eight bits a character, the last one lowest.
pub fn value_bits(design: &Design, value: Value) -> Const {
    match value {
        Value::Int(number) => Const {
            value: Bits::from_u64(32, u64::from(number as u32)),
            other: None,
        },
        Value::Bits(id) => design.constant(id).clone(),
        Value::Str(text) => {
            let text = unescape(design.names.text(text));
            let bools = text
                .bytes()
                .rev()
                .flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1));
            Const {
                value: Bits::from_bools(bools),
                other: None,
            }
        }
    }
}

/// A parameter as a number, 32 bits.
pub fn number(design: &Design, module: &Module, cell: &Cell, wanted: Name) -> u32 {
    bits(design, module, cell, wanted, 32).limbs()[0] as u32
}

/// A parameter that is not zero.
pub fn flag(design: &Design, module: &Module, cell: &Cell, wanted: Name) -> bool {
    find(module, cell, wanted).is_some_and(|v| !value_bits(design, v).value.is_zero())
}

/// A parameter as text; the empty text when it is not given.
pub fn text(design: &Design, module: &Module, cell: &Cell, wanted: Name) -> String {
    match find(module, cell, wanted) {
        Some(Value::Str(text)) => unescape(design.names.text(text)),
        _ => String::new(),
    }
}

/// The data input of a mux that is a constant of only `z`: such a mux is a tristate driver.
pub fn floating_input(design: &Design, module: &Module, cell: &Cell) -> Option<Name> {
    let floats = |port: Name| {
        let chunks = module.chunks_of(module.port(cell, port));
        !chunks.is_empty()
            && chunks.iter().all(|c| match c.base {
                Base::Const(id) => {
                    (c.offset..c.offset + c.width).all(|i| design.constant(id).is_floating(i))
                }
                Base::Wire(_) => false,
            })
    };
    [name!("A"), name!("B")].into_iter().find(|p| floats(*p))
}
