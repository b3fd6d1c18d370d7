//! The manifest against itself and against the memory: after [`check`], every offset, length and index in it
//! may be used without a further check.

use rtlwasm_abi::manifest::{
    Clock, EventSite, Manifest, MessagePart, Part, Plusarg, Reset, Signal,
};

use crate::control::Control;
use crate::error::{LoadError, corrupt};
use crate::sections::resolve;
use crate::value::{Value, limb_count};

/// Widest signal that is believed: one value of it is 2 MiB.
const MAX_WIDTH: u32 = 1 << 24;
/// Widest field of a message that is believed, in characters.
const MAX_FIELD: u32 = 1 << 16;
/// Most groups of outlined signals that are believed: a model has a flag for each.
const MAX_GROUPS: u32 = 1 << 20;

type Checked = Result<(), LoadError>;

/// Checks every field that is used as an offset, a length or an index.
pub(crate) fn check(manifest: &Manifest, control: &Control, memory: u64) -> Checked {
    check_regions(manifest, control)?;
    for (i, signal) in manifest.signals.iter().enumerate() {
        let field = || format!("signals[{i}] (`{}`)", signal.path.join("."));
        check_signal(manifest, control, memory, signal).map_err(|e| within(&field(), e))?;
    }
    for (id, signal) in manifest
        .signals
        .iter()
        .enumerate()
        .filter(|(_, s)| s.alias_of.is_some())
    {
        check_alias(manifest, id as u32, signal)?;
    }
    for (i, clock) in manifest.clocks.iter().enumerate() {
        check_clock(manifest, control, clock).map_err(|e| within(&format!("clocks[{i}]"), e))?;
    }
    for (i, reset) in manifest.resets.iter().enumerate() {
        check_reset(manifest, control, reset).map_err(|e| within(&format!("resets[{i}]"), e))?;
    }
    for (i, site) in manifest.events.iter().enumerate() {
        check_site(site, control).map_err(|e| within(&format!("events[{i}]"), e))?;
    }
    for (i, plusarg) in manifest.plusargs.iter().enumerate() {
        check_plusarg(manifest, plusarg).map_err(|e| within(&format!("plusargs[{i}]"), e))?;
    }
    Ok(())
}

/// Puts the owner's name before a field.
fn within(owner: &str, error: LoadError) -> LoadError {
    match error {
        LoadError::Corrupt { field, problem } => corrupt(format!("{owner}.{field}"), problem),
        other => other,
    }
}

fn check_regions(manifest: &Manifest, control: &Control) -> Checked {
    let state = (control.state_base as u64, control.state_len as u64);
    if (manifest.state.base, manifest.state.len) != state {
        return Err(corrupt(
            "state",
            "the manifest and the control block differ",
        ));
    }
    let end = manifest.scalars.base.checked_add(manifest.scalars.len);
    if manifest.scalars.base < state.0 || end.is_none_or(|end| end > state.0 + state.1) {
        return Err(corrupt("scalars", "they do not lie in the state region"));
    }
    if manifest.outline_groups > MAX_GROUPS {
        let problem = format!("{} are more than {MAX_GROUPS}", manifest.outline_groups);
        return Err(corrupt("outline_groups", problem));
    }
    if u64::from(manifest.event_reserve) > u64::from(control.event_size) {
        return Err(corrupt("event_reserve", "it is larger than the event ring"));
    }
    Ok(())
}

fn check_signal(manifest: &Manifest, control: &Control, memory: u64, signal: &Signal) -> Checked {
    if signal.path.is_empty() {
        return Err(corrupt("path", "it is empty"));
    }
    if signal.width > MAX_WIDTH {
        return Err(corrupt(
            "width",
            format!("{} is more than {MAX_WIDTH}", signal.width),
        ));
    }
    if (signal.kind == "memory") != (signal.depth > 0) {
        return Err(corrupt(
            "depth",
            format!("{} for a signal of kind `{}`", signal.depth, signal.kind),
        ));
    }
    let words = u64::from(signal.depth) * limb_count(signal.width) as u64;
    if words > u64::from(u32::MAX) {
        return Err(corrupt(
            "depth",
            format!("{words} words are more than 2^32"),
        ));
    }
    if i64::from(signal.depth).checked_add(signal.first).is_none() {
        return Err(corrupt("first", "the last row's index exceeds 64 bits"));
    }
    check_parts(control, memory, signal)?;
    if signal
        .outline
        .is_some_and(|group| group >= manifest.outline_groups)
    {
        return Err(corrupt(
            "outline",
            format!("there are {} groups", manifest.outline_groups),
        ));
    }
    if signal
        .ty
        .is_some_and(|ty| ty as usize >= manifest.types.len())
    {
        return Err(corrupt(
            "type",
            format!("there are {} types", manifest.types.len()),
        ));
    }
    if let Some(value) = &signal.value
        && Value::from_hex(value, signal.width).is_none()
    {
        return Err(corrupt(
            "value",
            format!(
                "`{value}` is no hexadecimal number of {} bits",
                signal.width
            ),
        ));
    }
    for id in signal.inout.into_iter().flatten() {
        let half = signal_at(manifest, id, "inout")?;
        if half.width != signal.width || half.inout.is_some() || half.depth > 0 {
            return Err(corrupt("inout", format!("signal {id} is no half of it")));
        }
    }
    Ok(())
}

fn check_parts(control: &Control, memory: u64, signal: &Signal) -> Checked {
    let mut width = 0u64;
    let rows = u64::from(signal.depth.saturating_sub(1)) * u64::from(signal.stride);
    for (i, part) in signal.parts.iter().enumerate() {
        let field = || format!("parts[{i}]");
        width += u64::from(part.width);
        if u64::from(part.shift) + u64::from(part.width) > u64::from(part.size) * 8 {
            return Err(corrupt(
                field(),
                format!(
                    "{} bits from {} exceed {} bytes",
                    part.width, part.shift, part.size
                ),
            ));
        }
        let end = part_end(part, rows).filter(|end| *end <= memory);
        let Some(end) = end else {
            return Err(corrupt(
                field(),
                format!("offset {} is outside of the memory", part.offset),
            ));
        };
        let state_end = (control.state_base + control.state_len) as u64;
        if signal.access == "rw" && (part.offset < control.state_base as u64 || end > state_end) {
            return Err(corrupt(
                field(),
                "a writable place is outside of the state region",
            ));
        }
    }
    if !signal.parts.is_empty() && width != u64::from(signal.width) {
        return Err(corrupt(
            "parts",
            format!("they hold {width} bits of {}", signal.width),
        ));
    }
    Ok(())
}

fn part_end(part: &Part, rows: u64) -> Option<u64> {
    part.offset
        .checked_add(u64::from(part.size))?
        .checked_add(rows)
}

fn check_alias(manifest: &Manifest, id: u32, signal: &Signal) -> Checked {
    let field = || format!("signals[{id}].alias_of");
    let Some(end) = resolve(&manifest.signals, id) else {
        return Err(corrupt(field(), "the chain of aliases ends nowhere"));
    };
    let target = &manifest.signals[end as usize];
    if (target.width, target.depth) != (signal.width, signal.depth) {
        return Err(corrupt(field(), "the other signal has another shape"));
    }
    Ok(())
}

fn check_clock(manifest: &Manifest, control: &Control, clock: &Clock) -> Checked {
    check_trigger(control, clock.trigger)?;
    clock
        .signal
        .map_or(Ok(()), |id| signal_at(manifest, id, "signal").map(|_| ()))
}

fn check_reset(manifest: &Manifest, control: &Control, reset: &Reset) -> Checked {
    reset
        .trigger
        .map_or(Ok(()), |trigger| check_trigger(control, trigger))?;
    reset
        .signal
        .map_or(Ok(()), |id| signal_at(manifest, id, "signal").map(|_| ()))
}

fn check_trigger(control: &Control, trigger: u32) -> Checked {
    if trigger >= control.trigger_count {
        return Err(corrupt(
            "trigger",
            format!("there are {} triggers", control.trigger_count),
        ));
    }
    Ok(())
}

fn check_site(site: &EventSite, control: &Control) -> Checked {
    for (i, part) in site.message.iter().enumerate() {
        let field = || format!("message[{i}]");
        let (arg, base, layout) = match part {
            MessagePart::Number {
                arg, base, layout, ..
            } => (Some(*arg), *base, layout),
            MessagePart::Chars { arg, layout } => (Some(*arg), 2, layout),
            MessagePart::Time { layout, .. } => (None, 10, layout),
            MessagePart::Text { .. } => continue,
        };
        if layout.width > MAX_FIELD {
            return Err(corrupt(
                field(),
                format!("a field of {} characters", layout.width),
            ));
        }
        if arg.is_some_and(|arg| arg as usize >= site.args.len()) {
            return Err(corrupt(
                field(),
                format!("there are {} arguments", site.args.len()),
            ));
        }
        if ![2, 8, 10, 16].contains(&base) {
            return Err(corrupt(
                field(),
                format!("base {base} is none of 2, 8, 10 and 16"),
            ));
        }
    }
    if let Some(i) = site.args.iter().position(|arg| arg.width > MAX_WIDTH) {
        return Err(corrupt(
            format!("args[{i}]"),
            format!("it is wider than {MAX_WIDTH} bits"),
        ));
    }
    if let Some(offset) = site.cover {
        let end = (control.state_base + control.state_len) as u64;
        if offset < control.state_base as u64 || offset.checked_add(8).is_none_or(|e| e > end) {
            return Err(corrupt(
                "cover",
                "the counter is outside of the state region",
            ));
        }
    }
    Ok(())
}

fn check_plusarg(manifest: &Manifest, plusarg: &Plusarg) -> Checked {
    for (name, id) in [("found", Some(plusarg.found)), ("value", plusarg.value)] {
        if let Some(id) = id
            && signal_at(manifest, id, name)?.depth > 0
        {
            return Err(corrupt(name, "it is a memory"));
        }
    }
    Ok(())
}

fn signal_at<'a>(manifest: &'a Manifest, id: u32, field: &str) -> Result<&'a Signal, LoadError> {
    let found = manifest.signals.get(id as usize);
    found.ok_or_else(|| corrupt(field, format!("there is no signal {id}")))
}
