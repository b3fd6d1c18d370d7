"""What can go wrong. Every exception of this package is an `RtlwasmError`, and its text says what to do.

Most are also the built-in exception that fits: an unknown name is a `LookupError`, a value that does not fit is a
`ValueError`, a failed assertion of the design is an `AssertionError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._native import Event


class RtlwasmError(Exception):
    """Any error of this package."""


@dataclass(frozen=True)
class Diagnostic:
    """One problem that the compiler found."""

    severity: str
    """"error", "warning" or "note"."""
    code: str
    """A stable name, such as "unknown-cell"."""
    message: str
    file: str | None
    line: int | None
    """From 1; None when the problem has no place."""
    column: int | None
    """From 1; 0 means the whole line."""
    notes: Sequence[str]
    """What else to know, and the way out."""


class CompileError(RtlwasmError, ValueError):
    """The design does not compile; the text shows each problem with its source line."""

    diagnostics: Sequence[Diagnostic] = ()
    """The problems one by one."""

    def _take(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.diagnostics = tuple(Diagnostic(**row) for row in rows)


class CompileWarning(UserWarning):
    """Something suspicious in a design that does compile."""


class OptionError(RtlwasmError, ValueError):
    """An option has a value that it cannot have."""


class LoadError(RtlwasmError, ValueError):
    """The file is no artifact, is damaged, or is of another version."""


class UnknownNameError(RtlwasmError, LookupError):
    """There is no signal, memory, instance or clock of that name; the text has names that look alike."""


class RowError(RtlwasmError, IndexError):
    """A memory has no such row."""


class ValueRangeError(RtlwasmError, ValueError):
    """A number needs more bits than there are, or a time lies in the past."""


class ShapeError(RtlwasmError, TypeError):
    """A memory where a signal is needed, or the other way round; an array of the wrong shape."""


class NotWritableError(RtlwasmError, TypeError):
    """The design drives the signal, or the artifact was compiled without write access to it."""


class ForeignError(RtlwasmError, ValueError):
    """A signal, clock or snapshot of another design."""


class ImageError(RtlwasmError, ValueError):
    """A memory image that cannot be loaded; the text has file and line."""


class WaveError(RtlwasmError, RuntimeError):
    """A waveform file cannot be written, or time went back while it was."""


class AssertionFailed(RtlwasmError, AssertionError):  # noqa: N818 - it is the design that failed
    """An assertion of the design failed, or it called `$fatal`. The instant is complete: calling again goes on."""

    event: Event | None = None
    """What the design told."""
    cycles: int = 0
    """Clock cycles that ended in the call."""


class NotSettledError(RtlwasmError, RuntimeError):
    """Combinational logic goes on changing without end."""


class ConditionNotMetError(RtlwasmError, TimeoutError):
    """`run_until` ran its most cycles and the condition did not come true."""


class DivergenceError(RtlwasmError, AssertionError):
    """With `engine="both"`: the artifact and the reference interpreter have come apart. One of them has a bug, or the
    artifact is of another source; please report the first."""

    signal: str = ""
    """What differs first: a signal, with its row if it is a memory; or "status", "time" or "events"."""
    reference: int | str = ""
    """Its value in the interpreter."""
    compiled: int | str = ""
    """Its value in the artifact."""
    source: str | None = None
    """Where the signal is declared, as "file:line.column"."""
    cycle: int = 0
    """Rises of the clock so far, that of this cycle included."""
    time: int = 0
    """In time units."""
    signals: Sequence[str] = ()
    """All signals that differ after that cycle, registers and memories first."""

    def _take(
        self,
        signal: str,
        reference: str,
        compiled: str,
        source: str | None,
        cycle: int,
        time: int,
        signals: Sequence[str],
    ) -> None:
        self.signal = signal
        self.reference = int(reference, 16) if signals else reference
        self.compiled = int(compiled, 16) if signals else compiled
        self.source, self.cycle, self.time, self.signals = source, cycle, time, tuple(signals)


class LaneError(RtlwasmError, RuntimeError):
    """A barrier that not all lanes can come to, or a question about lanes outside of them."""


class ModelBusyError(RtlwasmError, RuntimeError):
    """Another thread is in the model."""


class GoldenError(RtlwasmError, AssertionError):
    """A trace differs from the golden one, or there is none yet."""


class InternalError(RtlwasmError, RuntimeError):
    """A bug of this package; please report it."""
