"""Functions that wait for something, and the values that some of them wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _constants as c

if TYPE_CHECKING:
    from ._objects import Value


class Callback:
    """A function that is to be called once, unless it is deregistered before."""

    __slots__ = ("_args", "_function", "active", "edge")

    def __init__(self, function: Callable[..., object], args: tuple[Any, ...] = (), edge: int = 0) -> None:
        """To be called with these arguments."""
        self._function = function
        self._args = args
        self.edge = edge
        self.active = True

    def deregister(self) -> None:
        self.active = False

    def call(self) -> None:
        if self.active:
            self.active = False
            self._function(*self._args)


class Watched:
    """A value with callbacks on its changes."""

    __slots__ = ("_callbacks", "_last", "value")

    def __init__(self, value: Value) -> None:
        """Nobody waits for it yet."""
        self.value = value
        self._last = 0
        self._callbacks: list[Callback] = []

    def is_waited_for(self) -> bool:
        """Whether there is anyone to be told."""
        return any(callback.active for callback in self._callbacks)

    def add(self, callback: Callback) -> None:
        """Tell of changes from now on."""
        if not self.is_waited_for():
            self._callbacks.clear()
            self._last = self.value.read()
        self._callbacks.append(callback)

    def fired(self) -> list[Callback]:
        """The callbacks that its present value calls for; they are not kept."""
        if not self._callbacks:
            return []
        now = self.value.read()
        if now == self._last:
            return []
        self._last = now
        edges = (c.RISING if now & 1 else c.FALLING, c.VALUE_CHANGE)
        fired = [callback for callback in self._callbacks if callback.edge in edges]
        self._callbacks = [callback for callback in self._callbacks if callback.edge not in edges]
        return fired
