//! skeleton
pub struct ParseError;
pub fn parse(_: &str) {}
