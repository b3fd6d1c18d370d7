"""Recorded values: one column for each signal, one row for each cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import _svg
from ._table import to_ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._native import Run

SHOWN = 48
"""Cycles in the picture that a notebook shows."""


class Wave(Mapping[str, "NDArray[Any]"]):
    """What `Model.play` and `Model.trace` recorded.

    `wave["count"]` is a numpy array with one element for each cycle: uint8, uint16, uint32 or uint64 by the signal's
    width. A signal of more than 64 bits has the shape (cycles, limbs), the least significant limb first. Values are
    those after the cycle. In a notebook a wave shows itself as a picture.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], widths: Mapping[str, int], run: Run) -> None:
        """For the package's own use."""
        self._columns = dict(columns)
        self.widths = dict(widths)
        """Width in bits of each signal."""
        self.run = run
        """How the run ended; after `$finish` there are fewer rows than were asked for."""

    @property
    def cycles(self) -> int:
        """Number of rows."""
        return min((len(column) for column in self._columns.values()), default=0)

    def ints(self, name: str) -> list[int]:
        """A column as Python integers, of any width."""
        return to_ints(self._columns[name])

    def to_numpy(self) -> NDArray[Any]:
        """One structured array of shape (cycles,) with a field for each signal."""
        import numpy as np

        fields = [(name, column.dtype, column.shape[1:]) for name, column in self._columns.items()]
        table = np.empty(self.cycles, dtype=np.dtype(fields))
        for name, column in self._columns.items():
            table[name] = column
        return table

    def lines(self) -> list[str]:
        """One line for each cycle in which something changed: "cycle name=hex ..."; the first has all signals."""
        found: dict[int, list[str]] = {}
        for name in self._columns:
            digits, last = -(-self.widths[name] // 4), None
            for cycle, value in enumerate(self.ints(name)):
                if value != last:
                    found.setdefault(cycle, []).append(f"{name}={value:0{digits}x}")
                last = value
        return [f"{cycle} {' '.join(found[cycle])}" for cycle in sorted(found)]

    def svg(self, first: int = 0, last: int | None = None) -> str:
        """A picture of cycles `first` to `last` (exclusive) as SVG, in the colour of the text around it."""
        last = self.cycles if last is None else min(last, self.cycles)
        rows = [(name, self.widths[name], self.ints(name)[first:last]) for name in self._columns]
        return _svg.picture(rows, first)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The column of a signal."""
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        """Names of the signals."""
        return iter(self._columns)

    def __len__(self) -> int:
        """Number of signals."""
        return len(self._columns)

    def __repr__(self) -> str:
        """Tell cycles and names."""
        return f"Wave({self.cycles} cycles of {', '.join(self._columns)})"

    def _repr_html_(self) -> str:
        note = f"<p>the first {SHOWN} of {self.cycles} cycles</p>" if self.cycles > SHOWN else ""
        return self.svg(0, SHOWN) + note
