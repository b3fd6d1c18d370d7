//! The control block: read once after instantiation, checked against the memory it describes.
//!
//! After [`Control::read`] every range it names lies inside the linear memory, which never grows.

use rtlwasm_abi::ABI_MAJOR;
use rtlwasm_abi::layout::{CONTROL_BASE, CONTROL_LEN, MAGIC, control, state, trigger, watch};

use crate::error::{LoadError, corrupt};
use crate::sections::check_feature_bits;

/// The fixed part of the control block, as offsets into linear memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Control {
    pub state_base: usize,
    pub state_len: usize,
    pub trigger_base: usize,
    pub trigger_count: u32,
    pub host_base: usize,
    pub host_len: usize,
    pub event_base: usize,
    pub event_size: u32,
    pub trace_base: usize,
    /// 0: there is no change trace.
    pub trace_size: u32,
    pub watch_base: usize,
    pub watch_max: usize,
    /// From a scalar to its copy.
    pub before_delta: usize,
}

impl Control {
    /// Reads and checks it.
    pub fn read(memory: &[u8]) -> Result<Control, LoadError> {
        if memory.len() < (CONTROL_BASE + CONTROL_LEN) as usize {
            return Err(corrupt("control block", "the memory ends before it"));
        }
        if memory[CONTROL_BASE as usize..][..4] != MAGIC {
            return Err(corrupt("control block: magic", "it is not `rtlw`"));
        }
        let word = |offset| read_u32(memory, CONTROL_BASE as usize + offset as usize);
        let long = |offset| read_u64(memory, CONTROL_BASE as usize + offset as usize);
        check_abi(word(control::ABI))?;
        check_feature_bits(long(control::FEATURES))?;
        let range = |name: &str, base: u64, len: u64| range(memory, name, base, len);
        let (state_base, state_len) = range(
            "state_base",
            long(control::STATE_BASE),
            long(control::STATE_LEN),
        )?;
        if state_len < state::HEADER_LEN as usize {
            return Err(corrupt(
                "control block: state_len",
                "the state region is smaller than its header",
            ));
        }
        let trigger_count = word(control::TRIGGER_COUNT);
        let trigger_len = u64::from(trigger_count) * u64::from(trigger::LEN);
        let (trigger_base, trigger_len) = range(
            "trigger_base",
            word(control::TRIGGER_BASE).into(),
            trigger_len,
        )?;
        if trigger_count > 0
            && (trigger_base < state_base || trigger_base + trigger_len > state_base + state_len)
        {
            return Err(corrupt(
                "control block: trigger_base",
                "the trigger table is not in the state region",
            ));
        }
        let (host_base, host_len) = range(
            "host_base",
            word(control::HOST_BASE).into(),
            word(control::HOST_LEN).into(),
        )?;
        let (event_base, event_size) = range(
            "event_base",
            word(control::EVENT_BASE).into(),
            word(control::EVENT_SIZE).into(),
        )?;
        if event_size > 0 && (!event_size.is_power_of_two() || event_size < 16) {
            return Err(corrupt(
                "control block: event_size",
                format!("{event_size} is no power of two from 16 up"),
            ));
        }
        let event_size = event_size as u32;
        let (trace_base, trace_size) = range(
            "trace_base",
            word(control::TRACE_BASE).into(),
            word(control::TRACE_SIZE).into(),
        )?;
        if trace_size > 0 && (!trace_size.is_power_of_two() || trace_size < 16) {
            return Err(corrupt(
                "control block: trace_size",
                format!("{trace_size} is no power of two from 16 up"),
            ));
        }
        let watches = u64::from(word(control::WATCH_MAX)) * u64::from(watch::LEN);
        let (watch_base, _) = range("watch_base", word(control::WATCH_BASE).into(), watches)?;
        let control = Control {
            state_base,
            state_len,
            trigger_base,
            trigger_count,
            host_base,
            host_len,
            event_base,
            event_size,
            trace_base,
            trace_size: trace_size as u32,
            watch_base,
            watch_max: word(control::WATCH_MAX) as usize,
            before_delta: word(control::BEFORE_DELTA) as usize,
        };
        Ok(control)
    }
}

fn check_abi(abi: u32) -> Result<(), LoadError> {
    match abi >> 16 {
        ABI_MAJOR => Ok(()),
        major => Err(LoadError::AbiVersion {
            found: format!("{major}.{}", abi & 0xffff),
        }),
    }
}

/// A range of the memory as offset and length; 8-aligned, as every table of the ABI is.
fn range(memory: &[u8], name: &str, base: u64, len: u64) -> Result<(usize, usize), LoadError> {
    let field = || format!("control block: {name}");
    match base.checked_add(len) {
        Some(end) if end <= memory.len() as u64 => {}
        _ => {
            let problem = format!(
                "{base}+{len} bytes do not lie in the memory of {} bytes",
                memory.len()
            );
            return Err(corrupt(field(), problem));
        }
    }
    if len > 0 && !base.is_multiple_of(8) {
        return Err(corrupt(field(), format!("{base} is not a multiple of 8")));
    }
    Ok((base as usize, len as usize))
}

pub(crate) fn read_u32(memory: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(memory[offset..offset + 4].try_into().expect("four bytes"))
}

pub(crate) fn read_u64(memory: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(memory[offset..offset + 8].try_into().expect("eight bytes"))
}

pub(crate) fn write_u32(memory: &mut [u8], offset: usize, value: u32) {
    memory[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

pub(crate) fn write_u64(memory: &mut [u8], offset: usize, value: u64) {
    memory[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}
