"""What the engine uses of Amaranth that is not public, all of it.

That is its interface for engines with the triggers of processes, and what nothing public tells of memories and formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Format, MemoryData, MemoryInstance, Signal
from amaranth.sim import Simulator, TriggerCombination
from amaranth.sim._async import (
    ChangedTrigger,
    DelayTrigger,
    EdgeTrigger,
    ProcessContext,
    SampleTrigger,
    TestbenchContext,
)
from amaranth.sim._base import BaseEngine, BaseEngineState, BaseMemoryState, BaseSignalState

__all__ = [
    "DEADLINE",
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

Row = MemoryData._Row
"""A row of a memory, as a value."""

DEADLINE = "deadline_fs"
"""The variable of `Simulator.run_until` that has its deadline."""


def row_place(row: Any) -> tuple[MemoryData, int]:
    """The memory of a row, and its number."""
    return row._memory, row._index


def initial(memory: MemoryData) -> Sequence[int]:
    """The initial rows of a memory, as numbers."""
    rows: Sequence[int] = memory.init._raw
    return rows


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
    """The memory of an instance."""
    return instance._data


def read_ports(instance: MemoryInstance) -> list[Port]:
    """The read ports of an instance."""
    ports = instance._read_ports
    return [Port(port._domain, port._addr, port._data, port._en, port._transparent_for) for port in ports]


def write_ports(instance: MemoryInstance) -> list[Port]:
    """The write ports of an instance."""
    return [Port(port._domain, port._addr, port._data, port._en) for port in instance._write_ports]


def triggers_of(combination: TriggerCombination) -> tuple[Sequence[Any], Any]:
    """The triggers of a combination, and the process that awaits it."""
    return combination._triggers, combination._process


def chunks_of(form: Format) -> Sequence[str | tuple[Any, str]]:
    """What a format consists of: text, and values with how each is shown."""
    chunks: Sequence[str | tuple[Any, str]] = form._chunks
    return chunks


def parts_of(form: Format.Struct | Format.Array) -> tuple[Any, Any]:
    """The value that a structured format is of, and the formats of its parts."""
    return form._value, form._fields


def format_of(signal: Signal) -> Format:
    """How waveforms show a signal."""
    return signal._format


def check() -> None:
    """Look at all of this once."""
    signal, data = Signal(), MemoryData(shape=1, depth=2, init=[])
    instance = MemoryInstance(data=data)
    instance.write_port(domain="sync", addr=signal, data=signal, en=signal)
    instance.read_port(domain="sync", addr=signal, data=signal, en=signal, transparent_for=(0,))
    read_ports(instance), write_ports(instance), memory_of(instance)
    row_place(Row(data, 0)), initial(data)
    chunks_of(format_of(signal)), parts_of(Format.Array(signal, [Format("{}", signal)]))
    triggers_of(TriggerCombination(None, None))
    edge, changed, sample = EdgeTrigger(signal, 1), ChangedTrigger(signal), SampleTrigger(signal)
    edge.signal, edge.bit, edge.polarity, changed.signal, changed.value, changed.shape  # noqa: B018
    sample.value, sample.shape, DelayTrigger(0).interval_fs  # noqa: B018
    if DEADLINE not in Simulator.run_until.__code__.co_varnames:
        raise AttributeError(f"Simulator.run_until has no variable {DEADLINE!r}")
