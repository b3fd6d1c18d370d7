//! The event ring: records of the module in, formatted [`Event`]s out.

use rtlwasm_abi::layout::{CONTROL_BASE, control, event};
use rtlwasm_abi::manifest;

use crate::control::{read_u32, read_u64, write_u32};
use crate::engine::Told;
use crate::error::Error;
use crate::format::format_message;
use crate::model::Model;
use crate::value::{Value, limb_count};

/// Something the design told: text of a `$display`, a `$finish`, a failed assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Index into the manifest's `events`.
    pub site: u32,
    /// When, in time units.
    pub time: u64,
    /// What it is.
    pub kind: EventKind,
    /// The formatted message; a `$display` ends with its line feed.
    pub text: String,
    /// Values of the message's arguments, those from before the clock edge for clocked events.
    pub args: Vec<Value>,
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// `$display`, `$write`, `$strobe`, `$monitor`.
    Display,
    /// `$info`.
    Info,
    /// `$warning`.
    Warning,
    /// `$error`.
    Error,
    /// `$fatal`.
    Fatal,
    /// `$finish`.
    Finish,
    /// `$stop`.
    Stop,
    /// A failed assertion.
    Assert,
    /// A violated assumption.
    Assume,
    /// A cover; covers count and write no events.
    Cover,
    /// A kind that this host does not know.
    Other,
}

impl EventKind {
    fn from_name(name: &str) -> EventKind {
        match name {
            "display" => EventKind::Display,
            "info" => EventKind::Info,
            "warning" => EventKind::Warning,
            "error" => EventKind::Error,
            "fatal" => EventKind::Fatal,
            "finish" => EventKind::Finish,
            "stop" => EventKind::Stop,
            "assert" => EventKind::Assert,
            "assume" => EventKind::Assume,
            "cover" => EventKind::Cover,
            _ => EventKind::Other,
        }
    }
}

/// So many events are kept for [`Model::events`]: a long run must not fill the memory with what nobody reads.
pub const KEPT_EVENTS: usize = 1 << 16;

impl Model {
    /// Takes the events that came since the last call, in their order. Empty while a callback is set. Of events that
    /// nobody takes the last [`KEPT_EVENTS`] are kept.
    pub fn events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    /// From now on every event goes to `sink` as it is drained - at the latest when the call that made it returns -
    /// and is not kept for [`events`](Model::events).
    pub fn on_event(&mut self, sink: impl FnMut(&Event) + Send + 'static) {
        self.sink = Some(Box::new(sink));
    }

    /// Empties the ring; true when there was something in it.
    pub(crate) fn drain_ring(&mut self) -> Result<bool, Error> {
        if let Some(engine) = self.machine.other() {
            let told = engine.told();
            let any = !told.is_empty();
            told.into_iter().try_for_each(|told| self.take(told))?;
            return Ok(any);
        }
        let head = self.control_u32(control::EVENT_HEAD);
        let mut tail = self.control_u32(control::EVENT_TAIL);
        if head == tail {
            return Ok(false);
        }
        while tail != head {
            let (event, bytes) = self.read_record(tail, head.wrapping_sub(tail))?;
            tail = tail.wrapping_add(bytes);
            if let Some(told) = event {
                self.take(told)?;
            }
        }
        write_u32(
            self.memory_mut(),
            (CONTROL_BASE + control::EVENT_TAIL) as usize,
            head,
        );
        Ok(true)
    }

    /// The record at cursor `tail`, of which at most `filled` bytes are valid, and its length in bytes.
    fn read_record(&self, tail: u32, filled: u32) -> Result<(Option<Told>, u32), Error> {
        let broken = |problem: String| Error::BrokenRing { problem };
        let ring = &self.artifact.inner.control;
        let size = ring.event_size;
        if filled > size || size == 0 {
            return Err(broken(format!("{filled} bytes are filled of {size}")));
        }
        let place = tail & (size - 1);
        let at = ring.event_base + place as usize;
        let bytes = read_u32(self.memory(), at + event::BYTES as usize);
        if bytes < 8 || !bytes.is_multiple_of(8) || bytes > filled || bytes > size - place {
            return Err(broken(format!(
                "a record at {tail} claims {bytes} bytes of {filled}"
            )));
        }
        let site = read_u32(self.memory(), at + event::SITE as usize);
        if site == event::FILLER {
            return Ok((None, bytes));
        }
        let entry = self.artifact.manifest().events.get(site as usize);
        let entry = entry.ok_or_else(|| broken(format!("there is no event site {site}")))?;
        if bytes < record_bytes(entry) {
            return Err(broken(format!("a record of site {site} has {bytes} bytes")));
        }
        Ok((Some(self.told(site, entry, at)), bytes))
    }

    /// Gives an event to who is told of it, or keeps it.
    fn take(&mut self, told: Told) -> Result<(), Error> {
        let entry = self.artifact.manifest().events.get(told.site as usize);
        let entry = entry.ok_or_else(|| Error::BrokenRing {
            problem: format!("there is no event site {}", told.site),
        })?;
        let event = Event {
            site: told.site,
            time: told.time,
            kind: EventKind::from_name(&entry.kind),
            text: format_message(entry, &told.args, told.time),
            args: told.args,
        };
        match &mut self.sink {
            Some(sink) => sink(&event),
            None => {
                if self.events.len() == KEPT_EVENTS {
                    self.events.pop_front();
                }
                self.events.push_back(event);
            }
        }
        Ok(())
    }

    fn told(&self, site: u32, entry: &manifest::EventSite, at: usize) -> Told {
        let memory = self.memory();
        let time = read_u64(memory, at + event::TIME as usize);
        let mut offset = at + event::ARGS as usize;
        let mut args = Vec::with_capacity(entry.args.len());
        for arg in &entry.args {
            let limbs: Vec<u64> = (0..limb_count(arg.width))
                .map(|i| read_u64(memory, offset + i * 8))
                .collect();
            offset += limbs.len() * 8;
            args.push(Value::from_limbs(arg.width, &limbs));
        }
        Told { site, time, args }
    }
}

/// Bytes that a record of a site has at least.
fn record_bytes(entry: &manifest::EventSite) -> u32 {
    let args: usize = entry.args.iter().map(|arg| limb_count(arg.width) * 8).sum();
    u32::try_from(args + event::ARGS as usize).unwrap_or(u32::MAX)
}
