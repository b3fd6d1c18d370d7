"""What processes and testbenches are called with: Amaranth's own contexts, with ticks that the kernel waits for."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any

from amaranth.hdl import ClockDomain, Shape, Signal, Value, ValueCastable, ValueLike
from amaranth.sim import TickTrigger

from .. import _native
from ._private import ProcessContext, TestbenchContext

if TYPE_CHECKING:
    from ._engine import WASMEngine


class Tick(TickTrigger):
    """A tick of a domain. Ticks that are only counted, or at which a condition does not hold, resume nobody."""

    def __init__(self, of: _Ticking, domain: ClockDomain, samples: tuple[Any, ...] = ()) -> None:
        """A tick that a context waits for."""
        super().__init__(of.engine, of.waiting, domain=domain, sampled=samples)
        self.of, self.domain, self.samples = of, domain, samples
        self._trigger: _native.Trigger | None = None
        """The trigger of one wait, to be used again."""

    def sample(self, *exprs: Any) -> Tick:
        """The same, with values that are sampled then."""
        return Tick(self.of, self.domain, (*self.samples, *exprs))

    async def until(self, condition: Any) -> tuple[Any, ...]:
        """Wait for the first tick at which a condition holds."""
        if not isinstance(condition, ValueLike) or not isinstance(_shape(condition), Shape):
            return tuple(await super().until(condition))
        condition = self._engine.known(Value.cast(condition))
        awaited: tuple[Any, ...] = await self._made("until", oneshot=False, sampled=(*self.samples, condition))
        return awaited

    async def repeat(self, count: int) -> tuple[Any, ...]:
        """Wait for the tick of that number."""
        count = operator.index(count)
        if not 0 < count < 1 << 32:
            return tuple(await super().repeat(count))
        awaited: tuple[Any, ...] = await self._made("repeat", oneshot=False, count=count, sampled=self.samples)
        return awaited

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for one tick."""
        if self._trigger is None:
            self._trigger = self._made("tick", sampled=self.samples)
        return self._trigger.__await__()

    async def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        """Wait for every tick."""
        trigger = self._made("tick", oneshot=False, sampled=self.samples)
        while True:
            yield await trigger

    def _made(self, answer: str, *, oneshot: bool = True, count: int = 0, sampled: Any) -> _native.Trigger:
        engine, domain = self.of.engine, self.domain
        clock = "edge", engine.slot(domain.clk), 0, domain.clk_edge == "pos"
        reset: Any = ("constant", 0)
        if domain.rst is not None and domain.async_reset:
            reset = "edge", engine.slot(domain.rst), 0, True
        active = ("constant", 0) if domain.rst is None else ("signal", engine.slot(domain.rst))
        values = (engine.sampled(Value.cast(value), _shape(value)) for value in sampled)
        return engine._kernel.add_trigger(self.of.waiting, [clock, reset, active, *values], oneshot, answer, count)


def _shape(value: Any) -> Any:
    return value.shape() if isinstance(value, ValueCastable) else Value.cast(value).shape()


class _Ticking:
    """Makes ticks of the kernel, one for each domain."""

    def __init__(self, design: Any, engine: WASMEngine, process: _native.Process) -> None:
        """Serve a process of an engine."""
        super().__init__(design, engine, process)  # type: ignore[call-arg]
        self.engine, self.waiting = engine, process
        self._domains, self._ticks = design, dict[Any, Tick]()

    def tick(self, domain: str | ClockDomain = "sync", *, context: Any = None) -> Tick:
        """Wait for an active edge of a domain's clock, or its asynchronous reset."""
        key = domain if context is None else (domain, id(context))
        found = self._ticks.get(key)
        if found is None:
            # That refuses what is no domain.
            super().tick(domain, context=context)  # type: ignore[misc]
            known = isinstance(domain, ClockDomain)
            found = self._ticks[key] = Tick(self, domain if known else self._domains.lookup_domain(domain, context))
        return found


class Process(_Ticking, ProcessContext):
    """For processes."""


class Testbench(_Ticking, TestbenchContext):
    """For testbenches. What most of them do is done without a detour."""

    def __init__(self, design: Any, engine: WASMEngine, process: _native.Process) -> None:
        """Serve a testbench of an engine."""
        super().__init__(design, engine, process)
        self._read, self._write = engine._signals.get, engine._kernel.set

    def get(self, expr: Any) -> Any:
        """The present value of an expression."""
        return self._read(expr) if type(expr) is Signal else super().get(expr)

    def set(self, expr: Any, value: Any) -> None:
        """Assign to an expression, and let everything act on it."""
        if type(expr) is not Signal or type(value) is not int or not self._write(expr, value):
            super().set(expr, value)
