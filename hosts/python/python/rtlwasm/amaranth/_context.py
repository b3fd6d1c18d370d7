"""What processes and testbenches are called with: Amaranth's own contexts, with ticks that the kernel waits for."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from amaranth.hdl import ClockDomain, Shape, Value, ValueCastable, ValueLike
from amaranth.sim import TickTrigger

from .. import _native
from ._private import ProcessContext, TestbenchContext

if TYPE_CHECKING:
    from ._engine import WASMEngine


class Tick(_native.Awaited, TickTrigger):
    """A tick of a domain. Ticks that are only counted, or at which a condition does not hold, resume nobody."""

    def __init__(self, of: _Ticking, domain: ClockDomain, samples: tuple[Any, ...] = ()) -> None:
        """A tick that a context waits for."""
        super().__init__(of.engine, of.waiting, domain=domain, sampled=samples)
        self.of, self.domain, self.samples = of, domain, samples

    def sample(self, *exprs: Any) -> Tick:
        """The same, with values that are sampled then."""
        return Tick(self.of, self.domain, (*self.samples, *exprs))

    async def until(self, condition: Any) -> tuple[Any, ...]:
        """Wait for the first tick at which a condition holds."""
        shape = _shape(condition) if isinstance(condition, ValueLike) else None
        if not isinstance(shape, Shape):
            return tuple(await super().until(condition))
        conditions = self.of.engine._conditions
        last = conditions.part(Value.cast(condition), shape)
        try:
            awaited: tuple[Any, ...] = await self._made("until", last, oneshot=False)
        finally:
            conditions.release(last)
        return awaited

    async def repeat(self, count: int) -> tuple[Any, ...]:
        """Wait for the tick of that number."""
        count = operator.index(count)
        if not 0 < count < 1 << 32:
            return tuple(await super().repeat(count))
        awaited: tuple[Any, ...] = await self._made("repeat", oneshot=False, count=count)
        return awaited

    def _once(self) -> _native.Trigger:
        """What waits for one tick."""
        return self._made("tick")

    async def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        """Wait for every tick."""
        trigger = self._made("tick", oneshot=False)
        while True:
            yield await trigger

    def _made(self, answer: str, *last: Any, oneshot: bool = True, count: int = 0) -> _native.Trigger:
        engine, domain = self.of.engine, self.domain
        clock = "edge", engine.slot(domain.clk), 0, domain.clk_edge == "pos"
        reset: Any = ("constant", 0)
        if domain.rst is not None and domain.async_reset:
            reset = "edge", engine.slot(domain.rst), 0, True
        active = ("constant", 0) if domain.rst is None else ("signal", engine.slot(domain.rst))
        values = (engine.sampled(Value.cast(value), _shape(value)) for value in self.samples)
        parts = [clock, reset, active, *values, *last]
        return engine._kernel.add_trigger(self.of.waiting, parts, oneshot, answer, count)


def _shape(value: Any) -> Any:
    return value.shape() if isinstance(value, ValueCastable) else Value.cast(value).shape()


class _Ticking:
    """Makes ticks of the kernel, one for each domain; the classes of the kernel ask for each once."""

    def __init__(self, design: Any, engine: WASMEngine, process: _native.Process) -> None:
        """Serve a process of an engine."""
        super().__init__(design, engine, process)  # type: ignore[call-arg]
        self.engine, self.waiting = engine, process
        self._domains, self._named = design, dict[Any, Tick]()

    def _tick(self, domain: str | ClockDomain = "sync", *, context: Any = None) -> Tick:
        """What waits for an active edge of a domain's clock, or its asynchronous reset."""
        key = domain if context is None else (domain, id(context))
        found = self._named.get(key)
        if found is None:
            # That refuses what is no domain.
            super(_native.Context, self).tick(domain, context=context)  # type: ignore[misc]
            known = isinstance(domain, ClockDomain)
            found = self._named[key] = Tick(self, domain if known else self._domains.lookup_domain(domain, context))
        return found


class Process(_Ticking, _native.Context, ProcessContext):
    """For processes."""


class Testbench(_Ticking, _native.BenchContext, TestbenchContext):
    """For testbenches. What most of them do the kernel does itself."""

    def _get(self, expr: Any) -> Any:
        """The present value of an expression."""
        return super(_native.Context, self).get(expr)

    def _set(self, expr: Any, value: Any) -> None:
        """Assign to an expression, and let everything act on it."""
        super(_native.Context, self).set(expr, value)
