"""A clock that the simulator itself flips, without a task of cocotb's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._callbacks import Callback
    from ._kernel import Kernel
    from ._objects import Value


class SimulatorClock:
    """Flips a value for as long as it runs."""

    def __init__(self, kernel: Kernel, value: Value) -> None:
        """It stands."""
        self._kernel = kernel
        self.value = value
        self.spans = {1: 0, 0: 0}
        """How long it is high and low, in steps."""
        self.rises = False
        """Whether its next flip is a rise."""
        self.flip: Callback | None = None

    def start(self, period_steps: int, high_steps: int, start_high: bool, set_action: int) -> None:
        """Run from now on, with the level that begins the period."""
        if self.flip is not None:
            raise RuntimeError("the clock runs already")
        if not 0 < high_steps < period_steps:
            raise ValueError("a clock is high for a part of its period")
        self.spans = {1: high_steps, 0: period_steps - high_steps}
        self._action = set_action
        self.rises = start_high
        self._kernel.clocks.append(self)
        self._flip()

    def stop(self) -> None:
        """Stand still."""
        if self.flip is not None:
            self.flip.deregister()
            self.flip = None
            self._kernel.clocks.remove(self)

    def _flip(self) -> None:
        level = int(self.rises)
        self._kernel.write(self.value, self._action, level)
        self.went(level)

    def went(self, level: int) -> None:
        """It has come to a level now."""
        if self.flip is not None:
            self.flip.deregister()
        self.rises = not level
        self.flip = self._kernel.after(self.spans[level], self._flip)
