"""What a design tells: text of Print and Cover, failed Assert and Assume, and how values are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._sim.evaluate import normalize
from ._lower import Effect
from ._private import chunks_of


def tell(effect: Effect, values: Iterable[int]) -> None:
    """Print the message of a statement, or raise the error that it stands for."""
    shown = iter(values)
    numbers = (normalize(next(shown), width, signed) if width else 0 for width, signed in effect.values)
    statement = effect.statement
    text = "" if statement.message is None else message(statement.message, numbers)
    kind = getattr(getattr(statement, "kind", None), "value", None)
    if kind is None:
        print(text, end="")
    elif kind == "cover":
        print("Coverage hit at", *_place(statement), text)
    else:
        told = f"{'Assertion' if kind == 'assert' else 'Assumption'} violated"
        _raise(statement.src_loc, AssertionError(f"{told}: {text}" if statement.message is not None else told))


def message(form: Any, numbers: Iterable[int]) -> str:
    """A Format with numbers for its values."""
    left = iter(numbers)
    pieces = []
    for chunk in chunks_of(form):
        if isinstance(chunk, str):
            pieces.append(chunk)
        elif chunk[1].endswith("s"):
            pieces.append(format(_text(next(left)), chunk[1][:-1]))
        else:
            pieces.append(format(next(left), chunk[1]))
    return "".join(pieces)


def _text(number: int) -> str:
    """Characters of eight bits, the first in the lowest; zeros are none."""
    data = number.to_bytes((number.bit_length() + 7) // 8, "little")
    return bytes(byte for byte in data if byte).decode()


def _place(statement: Any) -> tuple[str, ...]:
    file, line = statement.src_loc
    return file, f":{line}:"


def _raise(place: tuple[str, int] | None, error: Exception) -> None:
    """Raise an error as if the line of the design had."""
    if place is None:
        raise error
    file, line = place
    exec(compile("\n" * (line - 1) + "raise error", file, "exec"), {"error": error})
