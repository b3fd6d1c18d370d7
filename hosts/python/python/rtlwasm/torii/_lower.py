"""A prepared Torii fragment as RTLIL: what its simulator makes of it, which is not always what synthesis does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torii.hdl.ast import Const, Signal, Slice
from torii.hdl.ir import Fragment, Instance
from torii.hdl.mem import MemoryInstance

from .._sim.design import Builder, Design, Memory, MemoryReset
from .._sim.rtlil import Body, Spec, Writer, class_name, constant


class ToriiWriter(Writer):
    """Knows which signals are rows of memories."""

    def __init__(self, builder: Builder) -> None:
        """Begin with nothing."""
        super().__init__()
        self._builder = builder
        self.rows: dict[int, tuple[Memory, int]] = {}

    def _Signal(self, value: Any) -> Spec:  # noqa: N802 - named after the class
        row = self.rows.get(id(value))
        if row is None:
            return super()._Signal(value)
        memory, index = row
        return self._builder.read(memory, constant(index, max(1, (memory.depth - 1).bit_length())))

    def _ArrayProxy(self, value: Any) -> Spec:  # noqa: N802
        memory = self._memory_of(value.elems)
        if memory is None:
            return self._bits_of_row(value) or super()._ArrayProxy(value)
        return self._builder.read(memory, self.row_address(memory, self.value(value.index)))

    def _bits_of_row(self, value: Any) -> Spec | None:
        """Bits of the row that an index selects: Torii slices every row instead."""
        elements, first = value.elems, value.elems[0] if len(value.elems) else None
        if not isinstance(first, Slice):
            return None
        same = all(
            isinstance(each, Slice) and (each.start, each.stop) == (first.start, first.stop) for each in elements
        )
        memory = self._memory_of([each.value for each in elements]) if same else None
        if memory is None:
            return None
        return self._builder.read(memory, self.row_address(memory, self.value(value.index))).slice(
            first.start, first.stop
        )

    def _memory_of(self, elements: Any) -> Memory | None:
        """The memory whose rows these are, all of them in order."""
        first = self.rows.get(id(elements[0])) if len(elements) else None
        if first is None or len(elements) != first[0].depth:
            return None
        places = (self.rows.get(id(element)) for element in elements)
        memory = first[0]
        return memory if all(place == (memory, i) for i, place in enumerate(places)) else None

    def row_address(self, memory: Memory, address: Spec) -> Spec:
        """The address of a row; one that does not exist means the last, as with every array of Torii."""
        if memory.depth >= 1 << address.width:
            return address
        last = constant(memory.depth - 1, address.width)
        beyond = self._binary("$gt", address, last, 1, False)
        result = self.wire(address.width)
        ports = {"A": address.text, "B": last.text, "S": beyond.text, "Y": result.text}
        self.cell("$mux", {"WIDTH": address.width}, ports)
        return result


def lower(fragment: Fragment) -> Design:
    """The design of a prepared fragment. Instances are left out, as Torii's simulator does."""
    builder = Builder()
    writer = builder.writer = ToriiWriter(builder)
    fragments = [each for each in _all(fragment) if not isinstance(each, Instance)]
    for each in fragments:
        if isinstance(each, MemoryInstance) and each.memory.depth and each.memory.width:
            _declare(builder, writer, each.memory)
    for each in fragments:
        if isinstance(each, MemoryInstance):
            _write_ports(builder, writer, each)
        _statements(builder, writer, each)
    resets = [
        reset for each in fragments if isinstance(each, MemoryInstance) for reset in _resets(builder, writer, each)
    ]
    design = builder.finish(lambda signal: signal.reset)
    design.resets = resets
    design.rows = writer.rows
    return design


def _all(fragment: Fragment) -> Iterator[Fragment]:
    """The fragment and everything below it."""
    yield fragment
    for below, _ in fragment.subfragments:
        yield from _all(below)


def _declare(builder: Builder, writer: ToriiWriter, memory: Any) -> None:
    try:
        rows = [memory[row] for row in range(memory.depth)]
    except IndexError:
        # It is not for simulation.
        return
    declared = builder.add_memory(memory, memory.width, memory.depth, False, [row.reset for row in rows])
    writer.rows.update((id(row), (declared, index)) for index, row in enumerate(rows))


def _write_ports(builder: Builder, writer: ToriiWriter, fragment: Any) -> None:
    memory = next((memory for memory in builder.memories if memory.key is fragment.memory), None)
    if memory is None:
        return
    for index, port in enumerate(fragment.write_ports):
        address = writer.row_address(memory, writer.value(port.addr))
        data, enable = writer.value(port.data), writer.value(port.en)
        builder.write(memory, index, fragment.domains[port.domain], address, data, enable)


def _resets(builder: Builder, writer: ToriiWriter, fragment: Any) -> Iterator[MemoryReset]:
    """How a domain's reset, `ResetInserter` and `EnableInserter` reset the memory of a fragment."""
    memory = next((memory for memory in builder.memories if memory.key is fragment.memory), None)
    domains = [name for name in fragment.drivers if any(id(row) in writer.rows for row in fragment.drivers[name])]
    if memory is None or not domains:
        return
    condition: Spec | None = None
    only: Any = None
    for statement in fragment.statements:
        row = _first_row(writer, statement)
        if row is None:
            continue
        test = writer.boolean(statement.test)
        if isinstance(row.rhs, Const):
            condition = test if condition is None else writer._binary("$or", condition, test, 1, False)
            only = statement.test if only is None and isinstance(statement.test, Signal) else False
        elif condition is not None:
            # Without an enable all keep what they are.
            condition, only = writer._binary("$and", condition, test, 1, False), False
    if condition is None:
        return
    if not isinstance(only, Signal):
        only = Signal(name="memory_reset")
        writer.connect(builder.drive(only, 1, None), condition)
    yield MemoryReset(memory, fragment.domains[domains[0]], only)


def _first_row(writer: ToriiWriter, statement: Any) -> Any:
    """The first assignment to a row of a statement that assigns to all of them, a switch with one case."""
    if class_name(statement) != "Switch" or len(statement.cases) != 1:
        return None
    (statements,) = statement.cases.values()
    return next((each for each in statements if class_name(each) == "Assign" and id(each.lhs) in writer.rows), None)


def _statements(builder: Builder, writer: ToriiWriter, fragment: Fragment) -> None:
    """One process for each domain of a fragment."""
    assigned = [(statement, {id(each) for each in assigns(statement)}) for statement in fragment.statements]
    for name, signals in fragment.drivers.items():
        domain = None if name is None else fragment.domains[name]
        lines, target = list[str](), dict[int, str]()
        body = Body(lines)
        for signal in signals:
            if id(signal) in writer.rows or not len(signal):
                continue
            wire = target[id(signal)] = builder.drive(signal, -1, domain)
            before = constant(signal.reset, len(signal)) if domain is None else writer.value(signal)
            body.assign(wire, before)
        for statement, driven in assigned:
            if not driven.isdisjoint(target):
                writer.statement(body, statement, target)
        if target:
            writer.process(lines)


def assigns(statement: Any) -> Iterator[Signal]:
    """The signals that a statement may assign; some more than once."""
    name = class_name(statement)
    if name == "Assign":
        yield from _targets(statement.lhs)
    elif name == "Switch":
        for statements in statement.cases.values():
            for each in statements:
                yield from assigns(each)


def _targets(value: Any) -> Iterator[Signal]:
    name = class_name(value)
    inner: Iterable[Any] = ()
    if name == "Signal":
        yield value
    elif name in ("Slice", "Part"):
        inner = (value.value,)
    elif name == "Operator":
        inner = (value.operands[0],)
    elif name == "Cat":
        inner = value.parts
    elif name == "ArrayProxy":
        inner = map(value.cast, value.elems)
    for each in inner:
        yield from _targets(each)
