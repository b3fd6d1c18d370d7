//! The one front door: any source becomes RTLIL text, and RTLIL text becomes a netlist.

pub mod rtlil;
