"""Columns of values between numpy and the 64-bit limbs that the native part works with."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import ShapeError, ValueRangeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._native import Signal

DTYPES = {1: "u1", 2: "u2", 4: "u4", 8: "u8"}


def columns_of(table: Any) -> dict[str, Any]:
    """The columns of a structured array or of anything with `keys` and `[]`, by name."""
    names: Iterable[str] | None = getattr(getattr(table, "dtype", None), "names", None)
    if names is None and isinstance(table, Mapping):
        names = table.keys()
    if names is None and hasattr(table, "columns"):
        names = table.columns
    if names is None:
        raise ShapeError(
            "a table is a mapping from signal names to arrays, or a numpy array with named fields, "
            f"and not {type(table).__name__}"
        )
    return {str(name): table[name] for name in names}


def row_count(columns: Mapping[str, Any], cycles: int | None) -> int:
    """How many rows the columns have; scalars fit any number."""
    lengths = {name: len(column) for name, column in columns.items() if _has_rows(column)}
    if cycles is not None and cycles < 0:
        raise ValueRangeError(f"{cycles} is no number of cycles: that is 0 or more")
    if cycles is not None:
        lengths["cycles"] = cycles
    if not lengths:
        raise ShapeError("how many cycles? give an array, or say cycles=N")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise ShapeError(f"all columns need as many rows: {told}")
    return next(iter(lengths.values()))


def _has_rows(column: Any) -> bool:
    """Arrays without a dimension have a length that cannot be asked for."""
    return hasattr(column, "__len__") and getattr(column, "ndim", 1) > 0


def limbs(width: int) -> int:
    """How many 64-bit numbers a value takes."""
    return max(1, -(-width // 64))


def to_limbs(signal: Signal, values: Any, rows: int) -> NDArray[np.uint64]:
    """The limbs of a column for a signal, row after row, each checked to fit."""
    import numpy as np

    array = np.asarray(values)
    if array.dtype.kind == "f" and not hasattr(values, "dtype"):
        # So numpy joins ints on both sides of 2**63.
        array = np.asarray(values, dtype=object)
    if array.ndim == 0:
        array = np.full(rows, values, dtype=object if array.dtype == object else None)
    if array.size and array.dtype.kind not in "buiO":
        raise ShapeError(f"`{signal.name}` takes integers, and the column has {array.dtype}")
    if array.ndim == 2 and array.shape[1] == limbs(signal.width) and array.dtype.kind != "O":
        _check_top(signal, array)
        return np.ascontiguousarray(array, dtype=np.uint64).reshape(-1)
    if array.ndim != 1:
        raise ShapeError(f"`{signal.name}` takes a column of {rows} numbers, and the shape is {array.shape}")
    if array.dtype.kind == "O" or signal.width > 64:
        return _from_ints(signal, array)
    _check_range(signal, array)
    return array.astype(np.uint64) & np.uint64((1 << signal.width) - 1)


def _check_range(signal: Signal, array: NDArray[Any]) -> None:
    if not array.size:
        return
    low, high = int(array.min()), int(array.max())
    if high >= 1 << signal.width or low < -((1 << signal.width) >> 1):
        bad = (array >= 1 << signal.width) if high >= 1 << signal.width else (array == low)
        row = int(bad.argmax())
        raise ValueRangeError(
            f"row {row}: {int(array[row])} does not fit `{signal.name}`, whose width is {signal.width}"
        )


def _check_top(signal: Signal, array: NDArray[Any]) -> None:
    bits = signal.width - 64 * (limbs(signal.width) - 1)
    if array.size and (int(array[:, -1].max()) >> bits or int(array.min()) < 0):
        raise ValueRangeError(f"a row does not fit `{signal.name}`, whose width is {signal.width}")


def _from_ints(signal: Signal, array: NDArray[Any]) -> NDArray[np.uint64]:
    import numpy as np

    span, size = 1 << signal.width, limbs(signal.width) * 8
    data = bytearray()
    for row, number in enumerate(array.tolist()):
        try:
            value = operator.index(number)
        except TypeError:
            told = f"row {row}: `{signal.name}` takes integers, and not {type(number).__name__}"
            raise ShapeError(told) from None
        if not -(span >> 1) <= value < span:
            raise ValueRangeError(f"row {row}: {value} does not fit `{signal.name}`, whose width is {signal.width}")
        data += (value % span).to_bytes(size, "little")
    return np.frombuffer(bytes(data), dtype=np.uint64)


def from_limbs(signal: Signal, data: bytearray) -> NDArray[Any]:
    """A column: of the narrowest unsigned type up to 64 bits, else with one uint64 for each limb in a row."""
    import numpy as np

    words = np.frombuffer(data, dtype=np.uint64)
    if signal.width > 64:
        return words.reshape(-1, limbs(signal.width))
    size = next(size for size in DTYPES if signal.width <= size * 8)
    return words.astype(DTYPES[size])


def to_ints(column: NDArray[Any]) -> list[int]:
    """A column as Python integers, limbs joined."""
    if column.ndim == 1:
        return [int(value) for value in column]
    return [int.from_bytes(row.tobytes(), "little") for row in column]
