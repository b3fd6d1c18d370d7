//! The tests' own machinery: fixtures and outside simulators in, differences between them and our engines out.

pub mod fixture;
pub mod oracle;
