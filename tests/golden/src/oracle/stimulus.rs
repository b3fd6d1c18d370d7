//! The values that every simulator is given: ports, rules and a seed in, one [`Cycle`] after the other out.
//!
//! Random bits come from splitmix64, started with the seed. In every cycle it is asked first for the clocks that rise
//! together (only if there are several), then for each input in the order of the ports, one number for each limb of
//! 64 bits, and three for each limb of an input that is `rare` or `often`. Resets and constants ask for numbers too,
//! so that a rule for one input does not change the values of the others.

use super::{OracleDesign, Port};
use crate::rng::Rng;

/// How the values of an input are made; inputs without a rule get random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputRule {
    /// The same value in all cycles.
    Constant(u64),
    /// Random bits; for a reset, what it gets after its cycles.
    Random,
    /// Each bit is 1 in one cycle of eight.
    Rare,
    /// Each bit is 1 in seven cycles of eight.
    Often,
}

/// An input held at a value in the first cycles, then at the complement unless it has a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    pub name: String,
    pub value: u64,
    pub cycles: u64,
}

/// A sequence of input values.
#[derive(Clone, Debug, Default)]
pub struct Stimulus {
    pub cycles: u64,
    pub seed: u64,
    pub resets: Vec<Reset>,
    pub rules: Vec<(String, InputRule)>,
}

/// What is applied in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Bit i: clock i rises and falls.
    pub rising: u64,
    /// The values of [`OracleDesign::inputs`], in limbs.
    pub inputs: Vec<Vec<u64>>,
}

impl Stimulus {
    /// The values at power-on: those of the first cycle, but resets are inactive.
    pub fn power_on(&self, design: &OracleDesign) -> Vec<Vec<u64>> {
        let first = self.cycles(design).next();
        let values = first
            .map(|cycle| cycle.inputs)
            .unwrap_or_else(|| design.inputs().map(zero).collect());
        let inactive = |(port, value): (&Port, Vec<u64>)| match self.reset(&port.name) {
            Some(reset) => fit(vec![!reset.value], port.width),
            None => value,
        };
        design.inputs().zip(values).map(inactive).collect()
    }

    /// All cycles in order.
    pub fn cycles<'a>(&'a self, design: &'a OracleDesign) -> impl Iterator<Item = Cycle> + 'a {
        let mut random = Rng::new(self.seed);
        let clocks = design.clocks.len() as u32;
        (0..self.cycles).map(move |index| Cycle {
            rising: match clocks {
                0 => 0,
                1 => 1,
                _ => random.draw() % ((1 << clocks) - 1) + 1,
            },
            inputs: design
                .inputs()
                .map(|port| self.value(port, index, &mut random))
                .collect(),
        })
    }

    fn value(&self, port: &Port, cycle: u64, random: &mut Rng) -> Vec<u64> {
        let rule = self
            .rules
            .iter()
            .find(|(name, _)| *name == port.name)
            .map(|(_, rule)| rule);
        let limbs = port.width.div_ceil(64);
        let drawn: Vec<u64> = match rule {
            Some(InputRule::Rare) => (0..limbs)
                .map(|_| random.draw() & random.draw() & random.draw())
                .collect(),
            Some(InputRule::Often) => (0..limbs)
                .map(|_| random.draw() | random.draw() | random.draw())
                .collect(),
            _ => (0..limbs).map(|_| random.draw()).collect(),
        };
        let value = match (self.reset(&port.name), rule) {
            (Some(reset), _) if cycle < reset.cycles => vec![reset.value],
            (_, Some(InputRule::Constant(value))) => vec![*value],
            (Some(reset), None) => vec![!reset.value],
            _ => drawn,
        };
        fit(value, port.width)
    }

    fn reset(&self, name: &str) -> Option<&Reset> {
        self.resets.iter().find(|reset| reset.name == name)
    }
}

fn zero(port: &Port) -> Vec<u64> {
    fit(Vec::new(), port.width)
}

/// The value in as many limbs as the width needs, bits above it zero.
fn fit(mut value: Vec<u64>, width: u32) -> Vec<u64> {
    value.resize(width.div_ceil(64) as usize, 0);
    if let Some(last) = value.last_mut().filter(|_| !width.is_multiple_of(64)) {
        *last &= (1 << (width % 64)) - 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::Direction;
    use super::*;

    fn design() -> OracleDesign {
        let port = |name: &str, width| Port {
            name: name.into(),
            width,
            direction: Direction::Input,
        };
        let ports = vec![port("clk", 1), port("rst", 1), port("a", 70), port("b", 3)];
        OracleDesign {
            clocks: vec!["clk".into()],
            ports,
            ..OracleDesign::default()
        }
    }

    #[test]
    fn the_generator_is_splitmix64() {
        let mut random = Rng::new(1234567);
        assert_eq!(
            [random.draw(), random.draw()],
            [6457827717110365317, 3203168211198807973]
        );
    }

    #[test]
    fn resets_start_inactive_are_held_and_released() {
        let reset = Reset {
            name: "rst".into(),
            value: 1,
            cycles: 2,
        };
        let stimulus = Stimulus {
            cycles: 4,
            seed: 1,
            resets: vec![reset],
            rules: Vec::new(),
        };
        let design = design();
        assert_eq!(stimulus.power_on(&design)[0], [0]);
        let held: Vec<u64> = stimulus
            .cycles(&design)
            .map(|cycle| cycle.inputs[0][0])
            .collect();
        assert_eq!(held, [1, 1, 0, 0]);
    }

    #[test]
    fn values_have_their_width_and_rules_leave_others_alone() {
        let design = design();
        let plain = Stimulus {
            cycles: 50,
            seed: 7,
            ..Stimulus::default()
        };
        let mut ruled = plain.clone();
        ruled.rules.push(("rst".into(), InputRule::Constant(1)));
        for (a, b) in plain.cycles(&design).zip(ruled.cycles(&design)) {
            assert_eq!(a.inputs[1..], b.inputs[1..]);
            assert_eq!(
                (a.inputs[1].len(), a.inputs[1][1] >> 6, a.inputs[2][0] >> 3),
                (2, 0, 0)
            );
            assert_eq!(b.inputs[0], [1]);
        }
    }
}
