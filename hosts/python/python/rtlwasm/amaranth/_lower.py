"""An Amaranth design as RTLIL: what its simulator makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Fragment, Instance, MemoryData, MemoryInstance, Shape, ShapeCastable, Signal

from .._sim.design import Builder, Design, Memory
from .._sim.rtlil import Body, Spec, Writer, class_name, constant
from ._private import chunks_of, memory_of, read_ports, row_place, write_ports

if TYPE_CHECKING:
    from amaranth.hdl._ir import Design as Prepared


@dataclass
class Effect:
    """A Print, Assert, Assume or Cover of the design: the kernel tells when it happens, and the values to show."""

    statement: Any
    values: list[tuple[int, bool]]
    """Width and sign of each value of its message."""
    computed: bool
    """It is among combinational statements, and told when values change."""


class AmaranthWriter(Writer):
    """Knows the statements that tell something, and rows of memories."""

    def __init__(self, builder: Builder) -> None:
        """Begin with nothing."""
        super().__init__()
        self._builder = builder
        self.memories: dict[int, Memory] = {}
        """By the id of what Amaranth knows them by."""
        self._unknown: dict[tuple[int, int], Signal] = {}
        """What stands for rows of memories that the design does not have, by the id of the memory and their number."""
        self.effects: list[Effect] = []
        self.domain: Any = None
        """The clock domain of the statements that are written; None: combinational."""
        self._enables: list[str] = []

    def _Row(self, value: Any) -> Spec:  # noqa: N802 - named after the class
        """A row that a testbench waits for."""
        data, index = row_place(value)
        memory = self.memories.get(id(data))
        if memory is not None:
            return self._builder.read(memory, constant(index, max(1, (memory.depth - 1).bit_length())))
        signal = self._unknown.setdefault((id(data), index), Signal(value.shape()))
        self.stands_for[id(signal)] = value
        return self._Signal(signal)

    def finish_process(self, lines: list[str]) -> None:
        """Write a process; what tells something is off unless a case of it says otherwise."""
        before = [f"assign {enable} 1'0" for enable in self._enables]
        self._enables.clear()
        self.process(before + lines)

    def _on_Print(self, body: Body, statement: Any, target: dict[int, str]) -> None:  # noqa: N802 - named after the class
        self._effect(body, statement, None)

    def _on_Property(self, body: Body, statement: Any, target: dict[int, str]) -> None:  # noqa: N802
        holds = self.boolean(statement.test)
        if statement.kind.value != "cover":
            self._effect(body, statement, holds, fails=True)
        elif statement.message is not None:
            self._effect(body, statement, holds)

    def _effect(self, body: Body, statement: Any, condition: Spec | None, fails: bool = False) -> None:
        """Something to tell, when its case is reached and a condition holds; or does not, and the simulation stops."""
        chunks = () if statement.message is None else chunks_of(statement.message)
        values = [self.value(chunk[0]) for chunk in chunks if not isinstance(chunk, str)]
        reached = self.wire(1)
        self._enables.append(reached.text)
        body.assign(reached.text, constant(1, 1))
        enable = reached
        if condition is not None and not fails:
            enable = self._binary("$and", reached, condition, 1, False)
        shown = [value for value in values if value.width]
        clock = None if self.domain is None else self.signal(self.domain.clk)
        parameters: dict[str, int | str] = {
            "FORMAT": '"' + "".join(f"{{{value.width}:> du}}" for value in shown) + '"',
            "ARGS_WIDTH": sum(value.width for value in shown),
            "PRIORITY": -len(self.effects),
            "TRG_ENABLE": int(clock is not None),
            "TRG_WIDTH": int(clock is not None),
            "TRG_POLARITY": 0 if clock is None else int(self.domain.clk_edge == "pos"),
        }
        # The first value of the format lies lowest.
        arguments = f"{{ {' '.join(value.text for value in reversed(shown))} }}"
        ports = {"EN": enable.text, "ARGS": arguments, "TRG": clock or "{ }"}
        if condition is not None and fails:
            parameters["FLAVOR"], ports["A"] = '"assert"', condition.text
        kind = "$check" if fails else "$print"
        self.cell(kind, parameters, ports, name=f"\\e{len(self.effects)}")
        self.effects.append(Effect(statement, [(value.width, value.signed) for value in values], clock is None))


def lower(prepared: Prepared) -> tuple[Design, list[Effect]]:
    """The RTLIL of a design, and what it tells. Instances and buffers are left out, as Amaranth's simulator does."""
    builder = Builder()
    builder.writer = writer = AmaranthWriter(builder)
    fragments = [fragment for fragment in prepared.fragments if not isinstance(fragment, Instance)]
    memories = writer.memories
    for fragment in fragments:
        if isinstance(fragment, MemoryInstance):
            data = memory_of(fragment)
            shape = Shape.cast(data.shape)
            if id(data) not in memories and shape.width and data.depth:
                memories[id(data)] = builder.add_memory(data, shape.width, data.depth, shape.signed, initial(data))
    processes = [process for fragment in fragments for process in _processes(fragment)]
    driven = [key for process in processes for key in process.masks]
    builder.shared = {key for key, count in Counter(driven).items() if count > 1}
    for fragment in fragments:
        if isinstance(fragment, MemoryInstance):
            _write_ports(builder, writer, fragment, memories.get(id(memory_of(fragment))))
    for process in processes:
        _write(builder, writer, process, memories)
    return builder.finish(lambda signal: signal.init), writer.effects


def initial(memory: MemoryData) -> Sequence[int]:
    """The initial rows of a memory, as numbers."""
    rows: Sequence[Any] = memory.init[:]
    shape = memory.shape
    if not isinstance(shape, ShapeCastable):
        return rows
    given = {index: row for index, row in enumerate(rows) if row is not None}
    numbers = [Const.cast(shape.const(None)).value] * len(rows)
    for index, row in given.items():
        numbers[index] = Const.cast(shape.const(row)).value
    return numbers


@dataclass
class Process:
    """The statements of one domain of a fragment, and the read ports of a memory in it."""

    fragment: Any
    domain: Any
    """None: combinational."""
    statements: list[Any]
    reads: list[Any]
    masks: dict[int, tuple[Any, int]]
    """The bits that it drives, of each signal by id."""


def _processes(fragment: Fragment) -> Iterator[Process]:
    names = dict.fromkeys(fragment.statements)
    reads: list[Any] = []
    if isinstance(fragment, MemoryInstance):
        reads = [port for port in read_ports(fragment) if len(port.data)]
        names.update(dict.fromkeys(port.domain for port in reads))
    for name in names:
        statements = list(fragment.statements.get(name, ()))
        ports = [port for port in reads if port.domain == name]
        masks: dict[int, tuple[Any, int]] = {}
        for statement in statements:
            _driven(statement, masks)
        for port in ports:
            _driven_bits(port.data, -1, masks)
        yield Process(fragment, None if name == "comb" else fragment.domains[name], statements, ports, masks)


def _write_ports(builder: Builder, writer: AmaranthWriter, fragment: Any, memory: Memory | None) -> None:
    if memory is None:
        return
    for index, port in enumerate(write_ports(fragment)):
        address, data, enable = (writer.value(value) for value in (port.address, port.data, port.enable))
        builder.write(memory, index, fragment.domains[port.domain], address, data, enable)


def _write(builder: Builder, writer: AmaranthWriter, process: Process, memories: dict[int, Memory]) -> None:
    """A process of the RTLIL: what it drives stays as it is, then its statements, its reset, its read ports."""
    lines, target = list[str](), dict[int, str]()
    domain = process.domain
    body, writer.domain = Body(lines), domain
    for signal, mask in process.masks.values():
        wire = target[id(signal)] = builder.drive(signal, mask & ((1 << len(signal)) - 1), domain)
        body.assign(wire, constant(signal.init, len(signal)) if domain is None else writer.value(signal))
    for statement in process.statements:
        writer.statement(body, statement, target)
    if domain is not None and domain.rst is not None:
        body.switch(writer.value(domain.rst))
        reset = body.case(("1",))
        for signal, _ in process.masks.values():
            if not signal.reset_less:
                reset.assign(target[id(signal)], constant(signal.init, len(signal)))
        body.end()
    for port in process.reads:
        _read(builder, writer, body, port, process.fragment, memories.get(id(memory_of(process.fragment))), target)
    if lines:
        writer.finish_process(lines)


def _read(
    builder: Builder, writer: AmaranthWriter, body: Body, port: Any, fragment: Any, memory: Memory | None, target: Any
) -> None:
    """A read port: combinational, or a register with an enable that sees what ports of its domain write just then."""
    width = len(port.data)
    address = writer.value(port.address)
    data = constant(0, width) if memory is None else builder.read(memory, address)
    writes = write_ports(fragment)
    for write in (writes[index] for index in port.transparent_for):
        written, enable = writer.value(write.data), writer.value(write.enable)
        lanes = [
            enable.slice(lane, lane + 1).text
            for lane in reversed(range(enable.width))
            for _ in range(width // enable.width)
        ]
        same = (
            writer._binary("$eq", address, writer.value(write.address), 1, False) if address.width else constant(1, 1)
        )
        mask = Spec(f"{{ {' '.join(lanes)} }}", width, False)
        merged = writer.wire(width)
        each = {"A": data.text, "B": written.text, "S": mask.text, "Y": merged.text}
        writer.cell("$bwmux", {"WIDTH": width}, each)
        chosen = writer.wire(width)
        writer.cell("$mux", {"WIDTH": width}, {"A": data.text, "B": merged.text, "S": same.text, "Y": chosen.text})
        data = chosen
    if port.domain == "comb":
        writer._assign(body, port.data, 0, data, target)
        return
    body.switch(writer.value(port.enable))
    writer._assign(body.case(("1",)), port.data, 0, data, target)
    body.end()


def _driven(statement: Any, masks: dict[int, tuple[Any, int]]) -> None:
    """Notes which bits of which signals a statement may assign."""
    name = class_name(statement)
    if name == "Assign":
        _driven_bits(statement.lhs, -1, masks)
    elif name == "Switch":
        for _, statements, _ in statement.cases:
            for each in statements:
                _driven(each, masks)


def _driven_bits(value: Any, mask: int, masks: dict[int, tuple[Any, int]]) -> None:
    name = class_name(value)
    mask &= (1 << len(value)) - 1
    if name == "Signal":
        if len(value):
            before = masks.get(id(value), (value, 0))[1]
            masks[id(value)] = (value, before | mask)
    elif name == "Operator":
        _driven_bits(value.operands[0], mask, masks)
    elif name == "Slice":
        _driven_bits(value.value, mask << value.start, masks)
    elif name == "Part":
        _driven_bits(value.value, -1, masks)
    elif name == "Concat":
        for part in value.parts:
            _driven_bits(part, mask, masks)
            mask >>= len(part)
    elif name == "SwitchValue":
        for _, element in value.cases:
            _driven_bits(element, mask, masks)
