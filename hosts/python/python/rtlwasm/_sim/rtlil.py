"""Values and statements of Amaranth and Torii as RTLIL text.

Both frameworks describe logic with the same few classes, so one writer serves both. It writes one flat module: a
signal is one wire, whatever fragment uses it, and needs no ports between fragments. The answer of every operator is
that of the frameworks' own simulators, whose integers have no width: operands are extended as far as the result needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Spec(NamedTuple):
    """A value as RTLIL: its text, its width, and whether it is signed."""

    text: str
    width: int
    signed: bool

    def slice(self, start: int, stop: int) -> Spec:
        """Bits `start` to `stop`."""
        if start == 0 and stop == self.width:
            return Spec(self.text, self.width, False)
        if stop <= start:
            return Spec("{ }", 0, False)
        place = str(start) if stop - start == 1 else f"{stop - 1}:{start}"
        return Spec(f"{self.text} [{place}]", stop - start, False)


def constant(value: int, width: int, signed: bool = False) -> Spec:
    """A constant; bits above the width are dropped."""
    if width == 0:
        return Spec("{ }", 0, signed)
    return Spec(f"{width}'{value & ((1 << width) - 1):0{width}b}", width, signed)


def class_name(value: Any) -> str:
    """The class of the framework that a value or statement is of."""
    for base in type(value).__mro__:
        if base.__name__ in _KNOWN:
            return _KNOWN[base.__name__]
    raise NotImplementedError(f"{type(value).__name__} cannot be simulated: {value!r}")


_VALUES = ("Const", "Signal", "Operator", "Slice", "Part", "Cat", "Concat", "ArrayProxy", "SwitchValue")
_KNOWN = {name: name for name in (*_VALUES, "Assign", "Switch", "Property", "Print")}


def know(kind: type, name: str) -> None:
    """Let a class be known, by a name of ours."""
    _KNOWN[kind.__name__] = name


class Body:
    """The statements of one case of a process."""

    def __init__(self, lines: list[str]) -> None:
        """Append to `lines`."""
        self.lines = lines
        self._switched = False

    def assign(self, left: str, right: Spec) -> None:
        """Add an assignment. RTLIL has all of them before the switches of a case, so a later one is wrapped in one."""
        if self._switched:
            self.lines.append(f"switch {{ }}\ncase\nassign {left} {right.text}\nend")
        else:
            self.lines.append(f"assign {left} {right.text}")

    def switch(self, test: Spec) -> None:
        """Begin a switch; cases and an `end` follow."""
        self._switched = True
        self.lines.append(f"switch {test.text}")

    def case(self, patterns: Iterable[str]) -> Body:
        """Begin a case; without patterns it is the default."""
        named = ", ".join(f"{len(pattern)}'{pattern}" for pattern in patterns)
        self.lines.append(f"case {named}")
        return Body(self.lines)

    def end(self) -> None:
        """End the switch."""
        self.lines.append("end")


class Writer:
    """One module under construction."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.names: dict[int, str] = {}
        self.signals: list[Any] = []
        """Every signal that the design mentions; signal i is the wire `s<i>`."""
        self.stands_for: dict[int, Any] = {}
        """What is no signal and is an input, by the id of the signal that is written for it."""
        self._attributes: dict[int, str] = {}
        self._parts: list[str] = []
        self._wires: list[str] = []
        self._temporaries = 0
        self._seen: dict[int, tuple[Any, Spec]] = {}

    # Wires, cells, processes.

    def signal(self, signal: Any) -> str:
        """The wire of a signal."""
        name = self.names.get(id(signal))
        if name is None:
            name = self.names[id(signal)] = f"\\s{len(self.signals)}"
            self.signals.append(signal)
        return name

    def initial(self, signal: Any, value: int) -> None:
        """Give a register its value at power-on."""
        text = constant(value, len(signal)).text
        self._attributes[id(signal)] = f"attribute \\init {text}\n"

    def wire(self, width: int, signed: bool = False) -> Spec:
        """A new wire without a name of the design."""
        self._temporaries += 1
        name = f"$t{self._temporaries}"
        self._wires.append(f"wire width {width} {name}\n")
        return Spec(name, width, signed)

    def alias(self, spec: Spec) -> None:
        """Another name, among those of the design, for bits of a wire."""
        self._temporaries += 1
        name = f"\\q{self._temporaries}"
        self._wires.append(f"wire width {spec.width} {name}\n")
        self.connect(name, spec)

    def cell(
        self, kind: str, parameters: Mapping[str, int | str], ports: Mapping[str, str], name: str | None = None
    ) -> None:
        """A cell."""
        self._temporaries += 1
        lines = [f"cell {kind} {name or f'$c{self._temporaries}'}"]
        lines += [f"parameter \\{name} {value}" for name, value in parameters.items()]
        lines += [f"connect \\{name} {text}" for name, text in ports.items()]
        self._parts.append("\n".join(lines) + "\nend\n")

    def memory(self, name: str, width: int, depth: int) -> None:
        """A memory."""
        self._wires.append(f"memory width {width} size {depth} {name}\n")

    def process(self, lines: list[str]) -> None:
        """A process whose only case is `lines`."""
        self._temporaries += 1
        self._parts.append(f"process $p{self._temporaries}\n" + "\n".join(lines) + "\nend\n")

    def connect(self, left: str, right: Spec) -> None:
        """Drive a wire, or part of one."""
        self._parts.append(f"connect {left} {right.text}\n")

    def text(self, inputs: Iterable[int], outputs: Iterable[int] = ()) -> str:
        """The module; `inputs` has the ids of the signals that nothing drives, `outputs` of those to be stored."""
        ports = {**dict.fromkeys(outputs, "output"), **dict.fromkeys(inputs, "input")}
        rows, number = [], 0
        for signal in filter(len, self.signals):
            port = ""
            if id(signal) in ports:
                number += 1
                port = f"{ports[id(signal)]} {number} "
            attribute = self._attributes.get(id(signal), "")
            rows.append(f"{attribute}wire width {len(signal)} {port}{self.names[id(signal)]}\n")
        return "".join(["module \\top\n", *rows, *self._wires, *self._parts, "end\n"])

    # Values that are read.

    def value(self, value: Any) -> Spec:
        """A value of the framework."""
        seen = self._seen.get(id(value))
        if seen is not None:
            return seen[1]
        spec: Spec = getattr(self, f"_{class_name(value)}")(value)
        self._seen[id(value)] = (value, spec)
        return spec

    def extend(self, spec: Spec, width: int) -> Spec:
        """The same number in another width."""
        if width <= spec.width:
            return Spec(spec.slice(0, width).text, width, spec.signed)
        if spec.width == 0:
            return constant(0, width, spec.signed)
        if not spec.signed:
            return Spec(f"{{ {width - spec.width}'{'0' * (width - spec.width)} {spec.text} }}", width, False)
        return self._unary("$pos", spec, width, True)

    def boolean(self, value: Any) -> Spec:
        """One bit: whether a value is not 0."""
        spec = self.value(value)
        return spec if spec.width == 1 else self._unary("$reduce_bool", spec, 1, False)

    def boolean_with(self, value: Any, standing: Iterable[tuple[Any, Any]]) -> Spec:
        """The same, with signals in place of values that are part of it."""
        seen, self._seen = self._seen, {}
        for part, signal in standing:
            self._seen[id(part)] = part, self.value(signal)
        spec = self.boolean(value)
        self._seen = seen
        return spec

    def _Const(self, value: Any) -> Spec:  # noqa: N802 - named after the class
        return constant(value.value, len(value), value.shape().signed)

    def _Signal(self, value: Any) -> Spec:  # noqa: N802
        width: int = len(value)
        return Spec(self.signal(value) if width else "{ }", width, value.shape().signed)

    def _Slice(self, value: Any) -> Spec:  # noqa: N802
        return self.value(value.value).slice(value.start, value.stop)

    def _Cat(self, value: Any) -> Spec:  # noqa: N802
        parts = [self.value(part) for part in value.parts]
        parts = [part for part in parts if part.width]
        text = " ".join(part.text for part in reversed(parts))
        return Spec(f"{{ {text} }}", sum(part.width for part in parts), False)

    _Concat = _Cat

    def _Part(self, value: Any) -> Spec:  # noqa: N802
        inner, offset = self.value(value.value), self.value(value.offset)
        if value.width == 0:
            return constant(0, 0)
        if inner.width == 0:
            return constant(0, value.width)
        if offset.width == 0:
            return Spec(self.extend(inner, value.width).text, value.width, False)
        if value.stride != 1:
            stride = constant(value.stride, value.stride.bit_length())
            offset = self._binary("$mul", offset, stride, offset.width + stride.width, False)
        if class_name(value.value) == "Operator" and value.value.operator == "~" and not inner.signed:
            # The simulators invert integers, which have ones beyond their end then.
            inner = Spec(f"{{ 1'1 {inner.text} }}", inner.width + 1, True)
        if inner.signed:
            inner = self.extend(inner, max(inner.width, value.width))
            return self._binary("$sshr", inner, offset, inner.width, True).slice(0, value.width)
        return self._binary("$shift", inner, offset, value.width, False)

    def _ArrayProxy(self, value: Any) -> Spec:  # noqa: N802
        index = self.value(value.index)
        elements = [self.value(element) for element in map(value.cast, value.elems)]
        if not elements:
            return constant(0, 0)
        cases: list[tuple[Any, Spec]] = [
            ((number(i, index.width),), elem) for i, elem in enumerate(elements) if i < 1 << index.width
        ]
        if len(cases) == len(elements):
            cases[-1] = (None, elements[-1])
        # Elements that the index cannot reach count for the shape.
        return self._choose(index, cases, unified(elements))

    def _SwitchValue(self, value: Any) -> Spec:  # noqa: N802
        cases = [(patterns, self.value(element)) for patterns, element in value.cases]
        return self._choose(self.value(value.test), cases, unified([spec for _, spec in cases]))

    def _choose(self, test: Spec, cases: Sequence[tuple[Any, Spec]], shape: tuple[int, bool]) -> Spec:
        """The value of the first case that matches, else 0."""
        width, signed = shape
        if width == 0:
            return constant(0, 0)
        result, lines = self.wire(width, signed), list[str]()
        body = Body(lines)
        body.assign(result.text, constant(0, width))
        self._switch(body, test, cases, lambda case, spec: case.assign(result.text, self.extend(spec, width)))
        self.process(lines)
        return result

    def _Operator(self, value: Any) -> Spec:  # noqa: N802
        operands, operator = [self.value(operand) for operand in value.operands], value.operator
        if len(operands) == 1:
            return self._operator1(operator, operands[0])
        if len(operands) == 2:
            return self._operator2(operator, *operands)
        condition = self.boolean(value.operands[0])
        width, signed = unified(operands[1:])
        if width == 0:
            return constant(0, 0, signed)
        result = self.wire(width, signed)
        high, low = (self.extend(operand, width).text for operand in operands[1:])
        self.cell("$mux", {"WIDTH": width}, {"A": low, "B": high, "S": condition.text, "Y": result.text})
        return result

    def _operator1(self, operator: str, a: Spec) -> Spec:
        if operator in ("u", "s"):
            return Spec(a.text, a.width, operator == "s")
        if operator == "+":
            return a
        if operator == "~":
            return self._unary("$not", a, a.width, a.signed) if a.width else a
        if operator == "-":
            return self._unary("$neg", a, a.width + 1, True)
        if a.width == 0:
            return constant(int(operator == "r&"), 1)
        return self._unary(_REDUCTIONS[operator], a, 1, False)

    def _operator2(self, operator: str, a: Spec, b: Spec) -> Spec:
        if operator in ("<<", ">>"):
            return self._shift(operator, a, b)
        width, signed = _result(operator, a, b)
        if width == 0:
            return constant(0, 0, signed)
        a, b = self._same_sign(a, b)
        result = self._binary(_OPERATORS[operator], a, b, width, signed)
        if operator not in ("//", "%"):
            return result
        # The frameworks divide by zero with the answer 0.
        divisor = self._unary("$reduce_bool", b, 1, False)
        checked, zero = self.wire(width, signed), constant(0, width)
        ports = {"A": zero.text, "B": result.text, "S": divisor.text, "Y": checked.text}
        self.cell("$mux", {"WIDTH": width}, ports)
        return checked

    def _shift(self, operator: str, a: Spec, b: Spec) -> Spec:
        width = a.width if operator == ">>" else a.width + 2**b.width - 1
        if width == 0 or b.width == 0:
            return a
        return self._binary("$sshr" if operator == ">>" else "$sshl", a, b, width, a.signed)

    def _same_sign(self, a: Spec, b: Spec) -> tuple[Spec, Spec]:
        """An unsigned operand beside a signed one gets a sign bit; none has no bits."""
        a, b = (operand if operand.width else constant(0, 1, operand.signed) for operand in (a, b))
        if a.signed == b.signed:
            return a, b
        return (with_sign(a), b) if b.signed else (a, with_sign(b))

    def _unary(self, kind: str, a: Spec, width: int, signed: bool) -> Spec:
        if a.width == 0:
            a = constant(0, 1)
        result = self.wire(width, signed)
        parameters = {"A_SIGNED": int(a.signed), "A_WIDTH": a.width, "Y_WIDTH": width}
        self.cell(kind, parameters, {"A": a.text, "Y": result.text})
        return result

    def _binary(self, kind: str, a: Spec, b: Spec, width: int, signed: bool) -> Spec:
        result = self.wire(width, signed)
        parameters = {"A_SIGNED": int(a.signed), "A_WIDTH": a.width, "B_SIGNED": int(b.signed), "B_WIDTH": b.width}
        self.cell(kind, {**parameters, "Y_WIDTH": width}, {"A": a.text, "B": b.text, "Y": result.text})
        return result

    # Statements, and values that are written.

    def statement(self, body: Body, statement: Any, target: dict[int, str]) -> None:
        """A statement; `target` has the wires that stand for the signals it may assign, by id; others are left out."""
        getattr(self, f"_on_{class_name(statement)}")(body, statement, target)

    def _on_Assign(self, body: Body, statement: Any, target: dict[int, str]) -> None:  # noqa: N802
        width = len(statement.lhs)
        if width:
            self._assign(body, statement.lhs, 0, self.extend(self.value(statement.rhs), width), target)

    def _on_Switch(self, body: Body, statement: Any, target: dict[int, str]) -> None:  # noqa: N802
        items = statement.cases.items() if hasattr(statement.cases, "items") else statement.cases
        # Torii writes the default as no patterns, Amaranth as None; it alone has a place for each case.
        torii = hasattr(statement.cases, "items")
        cases = [(None if torii and not item[0] else item[0], item[1]) for item in items]

        def inside(case: Body, statements: Any) -> None:
            for each in statements:
                self.statement(case, each, target)

        self._switch(body, self.value(statement.test), cases, inside)

    def _switch(self, body: Body, test: Spec, cases: Sequence[tuple[Any, Any]], inside: Any) -> None:
        """A switch; patterns None match everything, no patterns nothing."""
        cases = [case for case in cases if case[0] is None or len(case[0])]
        if not cases:
            return
        body.switch(test if test.width else constant(0, 1))
        for patterns, content in cases:
            every = patterns is None or test.width == 0
            inside(body.case(() if every else [number(pattern, test.width) for pattern in patterns]), content)
            if every:
                break
        body.end()

    def _assign(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:
        """Assign to the bits of `left` from `start` on, as many as there are."""
        right = right.slice(0, max(0, min(right.width, len(left) - start)))
        if right.width:
            getattr(self, f"_to_{class_name(left)}")(body, left, start, right, target)

    def _to_Signal(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        name = target.get(id(left))
        if name is not None:
            body.assign(Spec(name, len(left), False).slice(start, start + right.width).text, right)

    def _to_Operator(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        self._assign(body, left.operands[0], start, right, target)

    def _to_Slice(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        self._assign(body, left.value, start + left.start, right, target)

    def _to_Cat(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        at = 0
        for part in left.parts:
            first, last = max(at, start), min(at + len(part), start + right.width)
            if first < last:
                self._assign(body, part, first - at, right.slice(first - start, last - start), target)
            at += len(part)

    _to_Concat = _to_Cat  # noqa: N815 - named after the class

    def _to_Part(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        offset = self.value(left.offset)
        steps = min(1 << offset.width, -(-len(left.value) // left.stride))
        cases = [((number(step, offset.width),), step * left.stride) for step in range(steps)]
        self._switch(body, offset, cases, lambda case, at: self._assign(case, left.value, at + start, right, target))

    def _to_ArrayProxy(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        index = self.value(left.index)
        elements = [elem for i, elem in enumerate(map(left.cast, left.elems)) if i < 1 << index.width]
        cases: list[tuple[Any, Any]] = [((number(i, index.width),), elem) for i, elem in enumerate(elements)]
        if cases and len(cases) == len(left.elems):
            cases[-1] = (None, cases[-1][1])
        self._switch(body, index, cases, lambda case, elem: self._assign(case, elem, start, right, target))

    def _to_SwitchValue(self, body: Body, left: Any, start: int, right: Spec, target: dict[int, str]) -> None:  # noqa: N802
        test = self.value(left.test)
        self._switch(body, test, left.cases, lambda case, elem: self._assign(case, elem, start, right, target))


def signals_of(value: Any) -> list[Any]:
    """The signals that a value is computed from."""
    writer = Writer()
    writer.value(value)
    return writer.signals


def leaves(value: Any) -> Iterator[Any]:
    """The signals and memory rows that a value of a testbench is computed from; some more than once."""
    name = class_name(value)
    if name in ("Signal", "Row"):
        yield value
        return
    inner: Iterable[Any] = ()
    if name == "Operator":
        inner = value.operands
    elif name == "Slice":
        inner = (value.value,)
    elif name == "Part":
        inner = (value.value, value.offset)
    elif name in ("Cat", "Concat"):
        inner = value.parts
    elif name == "ArrayProxy":
        inner = (value.index, *map(value.cast, value.elems))
    elif name == "SwitchValue":
        inner = (value.test, *(element for _, element in value.cases))
    for each in inner:
        yield from leaves(each)


def number(pattern: Any, width: int) -> str:
    """A pattern of a case: a number, or text of 0, 1 and -."""
    return pattern if isinstance(pattern, str) else format(pattern & ((1 << width) - 1), f"0{width}b")


def structure(
    value: Any,
    row: Callable[[Any], tuple[Any, int]],
    constants: list[tuple[Any, int]] | None = None,
    compared: bool = False,
) -> Any:
    """What is equal for expressions that are written alike, of the same signals; None: not known. Of a row, `row` tells
    the memory and its number. Constants that are added to a list, with a width for them, may differ: all but those in
    arrays. Where one is `compared`, it may be wider than it is.
    """
    name = class_name(value)
    if name == "Signal":
        return id(value)
    if name == "Row":
        memory, index = row(value)
        return "row", id(memory), index
    inner: Iterable[Any]
    rest: Any
    if name == "Const":
        which, shape = value.value, value.shape()
        width = shape.width
        if constants is not None:
            width = max(8, 1 << (width - 1).bit_length()) if compared else width
            known = (i for i, each in enumerate(constants) if each[0] is value and each[1] == width)
            which = next(known, len(constants))
            if which == len(constants):
                constants.append((value, width))
        return "constant", which, width, shape.signed
    if name == "Slice":
        inner, rest = [value.value], (value.start, value.stop)
    elif name == "Operator":
        inner, rest = value.operands, value.operator
    elif name in ("Cat", "Concat"):
        inner, rest = value.parts, ()
    elif name == "Part":
        inner, rest = (value.value, value.offset), (value.width, value.stride)
    elif name == "ArrayProxy":
        inner, rest, constants = (value.index, *map(value.cast, value.elems)), (), None
    elif name == "SwitchValue":
        inner = (value.test, *(element for _, element in value.cases))
        rest = tuple(patterns and tuple(patterns) for patterns, _ in value.cases)
    else:
        return None
    compared = name == "Operator" and rest in _COMPARISONS
    parts = tuple(structure(each, row, constants, compared) for each in inner)
    return None if None in parts else (name, rest, parts)


def with_sign(spec: Spec) -> Spec:
    """An unsigned value as a signed one, a bit wider."""
    return Spec(f"{{ 1'0 {spec.text} }}", spec.width + 1, True)


def unified(specs: Sequence[Spec]) -> tuple[int, bool]:
    """Width and sign that hold every one of the values."""
    signed = any(spec.signed for spec in specs)
    widths = [spec.width + (signed and not spec.signed) for spec in specs]
    return max(widths, default=0), signed


def _result(operator: str, a: Spec, b: Spec) -> tuple[int, bool]:
    """Width and sign of an operator's value."""
    width, signed = unified([a, b])
    if operator in ("+", "-"):
        return width + 1, signed or operator == "-"
    if operator == "*":
        return a.width + b.width, signed
    if operator == "//":
        return a.width + b.signed, signed
    if operator == "%":
        return b.width, b.signed
    if operator in ("&", "|", "^"):
        return width, signed
    return 1, False


_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

_REDUCTIONS = {"b": "$reduce_bool", "r|": "$reduce_or", "r&": "$reduce_and", "r^": "$reduce_xor"}

_OPERATORS = {
    "+": "$add",
    "-": "$sub",
    "*": "$mul",
    "//": "$divfloor",
    "%": "$modfloor",
    "&": "$and",
    "|": "$or",
    "^": "$xor",
    "==": "$eq",
    "!=": "$ne",
    "<": "$lt",
    "<=": "$le",
    ">": "$gt",
    ">=": "$ge",
}
