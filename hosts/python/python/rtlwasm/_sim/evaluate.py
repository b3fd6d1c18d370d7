"""Expressions of testbenches: what a value is now, and which signals an assignment changes.

A number here is always in the range of its value's shape, so operators work on Python's integers as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .rtlil import class_name


class Signals(Protocol):
    """Access to signals and memory rows."""

    def get(self, signal: Any) -> int:
        """The present value of a signal or memory row."""

    def put(self, signal: Any, start: int, width: int, value: int) -> None:
        """Write `width` bits of a signal or memory row from bit `start` on."""


def evaluate(signals: Signals, value: Any) -> int:
    """The present value of an expression."""
    kind = type(value)
    found = _EVALUATE.get(kind)
    if found is None:
        if kind.__name__ in ("ClockSignal", "ResetSignal", "AnyValue", "Initial"):
            raise ValueError(f"Value {value!r} cannot be used in simulation")
        found = _EVALUATE[kind] = _BY_NAME[class_name(value)]
    return found(signals, value)


def assign(signals: Signals, left: Any, start: int, width: int, value: int) -> None:
    """Write `width` bits of an expression from bit `start` on; what lies beyond it is dropped."""
    width = min(width, len(left) - start)
    if width <= 0:
        return
    name = class_name(left)
    if name in ("Signal", "Row"):
        signals.put(left, start, width, value)
    elif name == "Operator" and left.operator in ("u", "s"):
        assign(signals, left.operands[0], start, width, value)
    elif name == "Slice":
        assign(signals, left.value, start + left.start, width, value)
    elif name in ("Cat", "Concat"):
        at = 0
        for part in left.parts:
            first, last = max(at, start), min(at + len(part), start + width)
            if first < last:
                assign(signals, part, first - at, last - first, value >> (first - start))
            at += len(part)
    elif name == "Part":
        assign(signals, left.value, start + evaluate(signals, left.offset) * left.stride, width, value)
    elif name == "ArrayProxy":
        element = _element(signals, left)
        if element is not None:
            assign(signals, element, start, width, value)
    elif name == "SwitchValue":
        chosen = _chosen(signals, left)
        if chosen is not None:
            assign(signals, chosen, start, width, value)
    else:
        raise ValueError(f"Value {left!r} cannot be assigned")


def normalize(value: int, width: int, signed: bool) -> int:
    """The number that the low bits of another stand for."""
    value &= (1 << width) - 1
    return value - (1 << width) if signed and width and value >> (width - 1) else value


def matches(test: int, patterns: Any) -> bool:
    """Whether one of the patterns, numbers or text of 0, 1 and -, fits; None fits everything."""
    if patterns is None:
        return True
    for pattern in patterns:
        if isinstance(pattern, str):
            mask = int(pattern.replace("0", "1").replace("-", "0") or "0", 2)
            if test & mask == int(pattern.replace("-", "0") or "0", 2):
                return True
        elif pattern == test:
            return True
    return False


def execute(signals: Signals, statement: Any) -> None:
    """Carry out a statement of Torii."""
    name = class_name(statement)
    if name == "Assign":
        value = evaluate(signals, statement.rhs)
        assign(signals, statement.lhs, 0, len(statement.lhs), value)
    elif name == "Switch":
        test = _bits(signals, statement.test)
        for patterns, statements in statement.cases.items():
            if matches(test, patterns or None):
                for each in statements:
                    execute(signals, each)
                return
    else:
        raise NotImplementedError(f"a testbench cannot carry out {statement!r}")


def _bits(signals: Signals, value: Any) -> int:
    """An expression as an unsigned number."""
    return evaluate(signals, value) & ((1 << len(value)) - 1)


def _element(signals: Signals, proxy: Any) -> Any:
    """What an index selects; beyond the end it is the last."""
    index = evaluate(signals, proxy.index)
    elements = list(map(proxy.cast, proxy.elems))
    return elements[min(_bits(signals, proxy.index) if index < 0 else index, len(elements) - 1)] if elements else None


def _chosen(signals: Signals, value: Any) -> Any:
    test = _bits(signals, value.test)
    return next((element for patterns, element in value.cases if matches(test, patterns)), None)


def _operator(signals: Signals, value: Any) -> int:
    operator, operands = value.operator, value.operands
    shape = value.shape()
    if len(operands) == 3:
        chosen = operands[1] if evaluate(signals, operands[0]) else operands[2]
        return evaluate(signals, chosen)
    a: int = evaluate(signals, operands[0])
    if len(operands) == 1:
        if operator in ("r&", "r^"):
            width = len(operands[0])
            a &= (1 << width) - 1
            return int(a == (1 << width) - 1) if operator == "r&" else int(a).bit_count() & 1
        return normalize(_UNARY[operator](a), shape.width, shape.signed)
    return normalize(_BINARY[operator](a, evaluate(signals, operands[1])), shape.width, shape.signed)


def _concatenation(signals: Signals, value: Any) -> int:
    result = at = 0
    for part in value.parts:
        result |= _bits(signals, part) << at
        at += len(part)
    return result


def _part(signals: Signals, value: Any) -> int:
    offset = evaluate(signals, value.offset) * value.stride
    mask: int = (1 << value.width) - 1
    return (evaluate(signals, value.value) >> int(offset)) & mask


def _array(signals: Signals, value: Any) -> int:
    element = _element(signals, value)
    return 0 if element is None else evaluate(signals, element)


def _switch(signals: Signals, value: Any) -> int:
    chosen = _chosen(signals, value)
    return 0 if chosen is None else evaluate(signals, chosen)


_Evaluator = Callable[[Signals, Any], int]

_BY_NAME: dict[str, _Evaluator] = {
    "Const": lambda signals, value: int(value.value),
    "Signal": lambda signals, value: signals.get(value),
    "Row": lambda signals, value: signals.get(value),
    "Operator": _operator,
    "Slice": lambda signals, value: (
        evaluate(signals, value.value) >> value.start & ((1 << (value.stop - value.start)) - 1)
    ),
    "Part": _part,
    "Cat": _concatenation,
    "Concat": _concatenation,
    "ArrayProxy": _array,
    "SwitchValue": _switch,
}

_EVALUATE: dict[type, _Evaluator] = {}

_UNARY: dict[str, Callable[[int], int]] = {
    "~": lambda a: ~a,
    "-": lambda a: -a,
    "+": lambda a: a,
    "u": lambda a: a,
    "s": lambda a: a,
    "b": lambda a: int(a != 0),
    "r|": lambda a: int(a != 0),
}

_BINARY: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b if b else 0,
    "%": lambda a, b: a % b if b else 0,
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
}
