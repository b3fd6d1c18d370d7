"""A design as the engine sees it: its RTLIL text, and which signals and memories that text has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .rtlil import Spec, Writer, constant


@dataclass
class Memory:
    """A memory of the design."""

    key: Any
    """What the framework knows it by."""
    name: str
    width: int
    depth: int
    signed: bool
    init: Sequence[int]


@dataclass
class Driver:
    """Bits of a signal that one domain of one fragment drives."""

    mask: int
    domain: Any
    """The clock domain; None: combinational."""
    wire: str
    """What its statements assign to."""


@dataclass
class MemoryReset:
    """A reset that gives a memory its initial contents."""

    memory: Memory
    domain: Any
    condition: Any
    """The signal that is not 0 then."""


@dataclass
class Design:
    """A design as RTLIL, and the names that it has there. Signals are told apart by `id`, and kept alive here."""

    text: str
    signals: list[Any]
    names: dict[int, str]
    rows: dict[int, tuple[Memory, int]]
    """Signals that are rows of memories, in Torii."""
    memories: list[Memory]
    inputs: list[Any]
    computed: set[int]
    """Signals that combinational logic drives, in whole or in part."""
    writer: Writer
    resets: list[MemoryReset] = field(default_factory=list)
    """What resets do to memories, which the text does not say."""

    stored: set[int] = field(default_factory=set)
    """Computed signals that an artifact stores, by id: the others it computes when they are asked for."""

    def compute(self, value: Any, signal: Any, standing: Iterable[tuple[Any, Any]]) -> list[Any]:
        """Let a new signal be 1 when a value is not 0, with signals that stand for parts of that. Those that the design
        did not have are its inputs from now on; they are returned.
        """
        writer, before = self.writer, len(self.writer.signals)
        writer.connect(writer.signal(signal), writer.boolean_with(value, standing))
        added = [each for each in writer.signals[before:] if each is not signal and len(each)]
        self.inputs += added
        self.names.update((id(each), writer.signal(each)[1:]) for each in (signal, *added))
        self.computed.add(id(signal))
        return added

    def name_bits(self) -> None:
        """Give every bit of computed signals a name, by which another artifact knows what a loop has come to."""
        for signal in [each for each in self.signals if id(each) in self.computed]:
            whole = Spec(self.writer.signal(signal), len(signal), False)
            for bit in range(len(signal) if len(signal) > 1 else 0):
                self.writer.alias(whole.slice(bit, bit + 1))

    def store(self, signals: Iterable[int]) -> str:
        """The text with those stored, too."""
        self.stored |= self.computed.intersection(signals)
        return self.writer.text((id(signal) for signal in self.inputs), self.stored)

    def store_named(self, names: Iterable[str]) -> str:
        """The same for names."""
        wanted = set(names)
        return self.store(key for key, name in self.names.items() if name in wanted)


@dataclass
class Builder:
    """A design under construction."""

    writer: Writer = field(default_factory=Writer)
    memories: list[Memory] = field(default_factory=list)
    drivers: dict[int, list[Driver]] = field(default_factory=dict)
    """By the id of a signal."""
    shared: set[int] = field(default_factory=set)
    """Signals with several drivers."""

    def add_memory(self, key: Any, width: int, depth: int, signed: bool, init: Sequence[int]) -> Memory:
        """Declare a memory with its contents at power-on."""
        memory = Memory(key, f"m{len(self.memories)}", width, depth, signed, init)
        self.memories.append(memory)
        self.writer.memory(f"\\{memory.name}", width, depth)
        if any(init):
            mask = (1 << width) - 1
            bits = "".join(f"{row & mask:0{width}b}" for row in reversed(init))
            self.writer.cell(
                "$meminit_v2",
                {"MEMID": f'"\\\\{memory.name}"', "ABITS": 1, "WIDTH": width, "WORDS": len(init), "PRIORITY": 0},
                {"ADDR": "1'0", "DATA": f"{width * len(init)}'{bits}", "EN": f"{width}'{'1' * width}"},
            )
        return memory

    def read(self, memory: Memory, address: Spec) -> Spec:
        """A row."""
        writer, data = self.writer, self.writer.wire(memory.width, memory.signed)
        address = address if address.width else constant(0, 1)
        parameters: dict[str, int | str] = {
            "MEMID": f'"\\\\{memory.name}"',
            "ABITS": address.width,
            "WIDTH": memory.width,
        }
        undefined = f"{memory.width}'{'0' * memory.width}"
        writer.cell(
            "$memrd_v2",
            {
                **parameters,
                "CLK_ENABLE": 0,
                "CLK_POLARITY": 1,
                "TRANSPARENCY_MASK": "1'0",
                "COLLISION_X_MASK": "1'0",
                "ARST_VALUE": undefined,
                "SRST_VALUE": undefined,
                "INIT_VALUE": undefined,
                "CE_OVER_SRST": 0,
            },
            {
                "CLK": "1'0",
                "EN": "1'1",
                "ARST": "1'0",
                "SRST": "1'0",
                "ADDR": address.text,
                "DATA": data.text,
            },
        )
        return data

    def write(self, memory: Memory, index: int, domain: Any, address: Spec, data: Spec, enable: Spec) -> None:
        """A write port; of two that write the same bits, the one of higher index wins."""
        lanes = enable.width
        each = memory.width // lanes
        bits = [enable.slice(lane, lane + 1).text for lane in reversed(range(lanes)) for _ in range(each)]
        address = address if address.width else constant(0, 1)
        mask = "0" + "1" * index
        self.writer.cell(
            "$memwr_v2",
            {
                "MEMID": f'"\\\\{memory.name}"',
                "ABITS": address.width,
                "WIDTH": memory.width,
                "CLK_ENABLE": 1,
                "CLK_POLARITY": int(domain.clk_edge == "pos"),
                "PORTID": index,
                "PRIORITY_MASK": f"{len(mask)}'{mask}",
            },
            {
                "CLK": self.writer.signal(domain.clk),
                "ADDR": address.text,
                "DATA": data.text,
                "EN": f"{{ {' '.join(bits)} }}",
            },
        )

    def drive(self, signal: Any, mask: int, domain: Any) -> str:
        """Note that statements of a domain drive bits of a signal; the wire that they assign to."""
        wire = self.writer.signal(signal)
        drivers = self.drivers.setdefault(id(signal), [])
        if domain is not None or id(signal) in self.shared:
            wire = self.writer.wire(len(signal)).text
        drivers.append(Driver(mask, domain, wire))
        return wire

    def finish(self, initial: Any) -> Design:
        """Write the registers, and what each signal is driven by. `initial(signal)` is the value at power-on.

        A signal with one driver belongs to it whole; one with several is put together from the bits that each drives,
        and bits that none drives keep their initial value.
        """
        writer = self.writer
        # Registers name clocks and resets that may be used nowhere else, so the list grows while it is walked.
        for signal in writer.signals:
            drivers = self.drivers.get(id(signal), ())
            width, left = len(signal), (1 << len(signal)) - 1
            if not width:
                continue
            if any(driver.domain is not None for driver in drivers):
                writer.initial(signal, initial(signal))
            if len(drivers) == 1:
                self._store(signal, drivers[0], 0, width, initial(signal))
                continue
            # Bits that two drive belong to the later one: the frameworks refuse that in hardware, not in simulation.
            for driver in reversed(drivers):
                for start, stop in runs(driver.mask & left):
                    self._store(signal, driver, start, stop, initial(signal))
                left &= ~driver.mask
            if drivers:
                for start, stop in runs(left):
                    bits = constant(initial(signal) >> start, stop - start)
                    writer.connect(Spec(writer.signal(signal), width, False).slice(start, stop).text, bits)
        inputs = [signal for signal in writer.signals if id(signal) not in self.drivers and len(signal)]
        return Design(
            text=writer.text(id(signal) for signal in inputs),
            signals=writer.signals,
            names={id(signal): writer.signal(signal)[1:] for signal in writer.signals if len(signal)},
            rows={},
            memories=self.memories,
            inputs=inputs,
            writer=writer,
            computed={key for key, drivers in self.drivers.items() if any(each.domain is None for each in drivers)},
        )

    def _store(self, signal: Any, driver: Driver, start: int, stop: int, initial: int) -> None:
        """What drives bits of a signal: a register, or a wire."""
        writer, domain, width = self.writer, driver.domain, len(signal)
        whole = writer.signal(signal)
        output = Spec(whole, width, False).slice(start, stop)
        value = Spec(driver.wire, width, False).slice(start, stop)
        if domain is None:
            if driver.wire != whole:
                writer.connect(output.text, value)
            return
        parameters: dict[str, int | str] = {"WIDTH": stop - start, "CLK_POLARITY": int(domain.clk_edge == "pos")}
        if stop - start < width:
            # Every register has a name of its own, by which its value is known in another artifact of the design.
            writer.alias(output)
        ports = {"CLK": writer.signal(domain.clk), "D": value.text, "Q": output.text}
        if domain.rst is None or not domain.async_reset or signal.reset_less:
            writer.cell("$dff", parameters, ports)
            return
        parameters.update({"ARST_POLARITY": 1, "ARST_VALUE": constant(initial >> start, stop - start).text})
        writer.cell("$adff", parameters, {**ports, "ARST": writer.signal(domain.rst)})


def runs(mask: int) -> list[tuple[int, int]]:
    """The runs of ones in a mask: first bit, and one past the last."""
    found, at = [], 0
    while mask >> at:
        start = at + ((mask >> at) & -(mask >> at)).bit_length() - 1
        stop = start
        while mask >> stop & 1:
            stop += 1
        found.append((start, stop))
        at = stop
    return found
