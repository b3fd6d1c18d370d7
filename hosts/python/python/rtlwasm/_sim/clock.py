"""The present time, for those who ask an engine."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from .. import _native


def now(signals: _native.Signals, run_until: Callable[..., Any], deadline: str) -> int:
    """The present time; called by the property of an engine.

    `run_until` of a simulator asks after each step whether its deadline, a variable of that name, has come. So that the
    clocks need not stop at each edge for it, they are told how long it does not matter.
    """
    time: int = signals.now
    caller = sys._getframe(2)
    if caller.f_code is getattr(run_until, "__code__", None):
        until = caller.f_locals.get(deadline)
        if isinstance(until, (int, float)) and time < until < math.inf:
            # Torii's ends before, when no process is active, unless it is told to go on.
            signals.look_away(math.ceil(until), caller.f_locals.get("run_passive") is not False)
    return time
