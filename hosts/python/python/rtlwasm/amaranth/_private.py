"""What the engine uses of Amaranth that is not public, all of it.

That is its interface for engines with the triggers of processes, and what nothing public tells of memories and formats:
names by which Amaranth's own engine and its writer of netlists (`sim.pysim`, `hdl._ir`) reach into the rest of it, too.
That writer would tell of the ports of memories, but only with the whole design, in more time than this engine takes for
it, and with names of what it has written, not the values that are connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Format, MemoryData, MemoryInstance, Signal
from amaranth.sim import TriggerCombination
from amaranth.sim._async import (
    ChangedTrigger,
    DelayTrigger,
    EdgeTrigger,
    ProcessContext,
    SampleTrigger,
    TestbenchContext,
)
from amaranth.sim._base import BaseEngine, BaseEngineState, BaseMemoryState, BaseSignalState

from .._sim.rtlil import know

__all__ = [
    "BaseEngine",
    "BaseEngineState",
    "BaseMemoryState",
    "BaseSignalState",
    "ChangedTrigger",
    "DelayTrigger",
    "EdgeTrigger",
    "ProcessContext",
    "Row",
    "SampleTrigger",
    "TestbenchContext",
]

Row = type(MemoryData(shape=1, depth=1, init=[])[0])
"""A row of a memory, as a value; it has no public name."""
know(Row, "Row")


def row_place(row: Any) -> tuple[MemoryData, int]:
    """The memory of a row, and its number. A row tells nothing of that but in its text."""
    return row._memory, row._index


@dataclass
class Port:
    """A port of a memory. The domain of a combinational read port is "comb"."""

    domain: str
    address: Any
    data: Any
    enable: Any
    transparent_for: Sequence[int] = ()
    """The write ports, by number, whose rows a read port sees as they are written."""


def memory_of(instance: MemoryInstance) -> MemoryData:
    """The memory of an instance. What elaborated to it may be unknown, or not know of renamed domains."""
    return instance._data


def read_ports(instance: MemoryInstance) -> list[Port]:
    """The read ports of an instance, which has methods to add ports only."""
    ports = instance._read_ports
    return [Port(port._domain, port._addr, port._data, port._en, port._transparent_for) for port in ports]


def write_ports(instance: MemoryInstance) -> list[Port]:
    """The write ports of an instance."""
    return [Port(port._domain, port._addr, port._data, port._en) for port in instance._write_ports]


def triggers_of(combination: TriggerCombination) -> tuple[Sequence[Any], Any]:
    """The triggers of a combination, and the process that awaits it: an engine is given the combination only."""
    return combination._triggers, combination._process


def chunks_of(form: Format) -> Sequence[str | tuple[Any, str]]:
    """What a format consists of: text, and values with how each is shown. It tells nothing but its text for people."""
    chunks: Sequence[str | tuple[Any, str]] = form._chunks
    return chunks


def parts_of(form: Format.Struct | Format.Array) -> tuple[Any, Any]:
    """The value that a structured format is of, and the formats of its parts; as with other formats."""
    return form._value, form._fields


def format_of(signal: Signal) -> Format:
    """How waveforms show a signal, which does not tell the shape that it was made with."""
    return signal._format


def check() -> None:
    """Look at all of this once."""
    signal, data = Signal(), MemoryData(shape=1, depth=2, init=[])
    instance = MemoryInstance(data=data)
    instance.write_port(domain="sync", addr=signal, data=signal, en=signal)
    instance.read_port(domain="sync", addr=signal, data=signal, en=signal, transparent_for=(0,))
    read_ports(instance), write_ports(instance), memory_of(instance)
    row_place(data[0])
    chunks_of(format_of(signal)), parts_of(Format.Array(signal, [Format("{}", signal)]))
    triggers_of(TriggerCombination(None, None))
    edge, changed, sample = EdgeTrigger(signal, 1), ChangedTrigger(signal), SampleTrigger(signal)
    edge.signal, edge.bit, edge.polarity, changed.signal, changed.value, changed.shape  # noqa: B018
    sample.value, sample.shape, DelayTrigger(0).interval_fs  # noqa: B018
