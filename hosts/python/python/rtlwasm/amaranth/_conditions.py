"""Conditions that testbenches wait for, as part of the design: the module itself looks at each tick."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amaranth.hdl import Const, Shape, Signal, Value

from .._sim.rtlil import leaves, structure
from ._private import row_place

if TYPE_CHECKING:
    from ._engine import WASMEngine

WAITS = 32
"""So many ticks at which an expression was waited for make it part of the design."""
MOST = 32
"""So many expressions become part of the design."""

About = tuple[Value, Shape]
"""A condition as the kernel takes it; each wait has its own."""


@dataclass
class Computed:
    """A condition that the design computes."""

    signal: Signal
    inputs: list[Signal]
    """What stands for its constants."""
    constants: tuple[int, ...] | None = None
    """What those are; None: they have no values yet."""
    waiting: int = 0
    """So many waits are for it with these."""


class Conditions:
    """The conditions of an engine. Those that differ in constants only are one, with inputs for constants."""

    def __init__(self, engine: WASMEngine) -> None:
        """Begin with none."""
        self._engine = engine
        self.worth = WAITS
        self.computed: list[Computed] = []
        self._alike: dict[Any, list[Computed]] = {}
        self._waits: Counter[Any] = Counter()
        self._claims: dict[int, Computed] = {}
        """By the id of what a wait is about."""
        self._always = Signal(), Signal(init=1)

    def reset(self) -> None:
        """The simulation begins anew: nobody waits, and inputs have their initial values."""
        self._claims.clear()
        for each in self.computed:
            each.waiting = 0
            each.constants = None

    def part(self, condition: Value, shape: Shape) -> tuple[Any, ...]:
        """What is waited for, as the kernel takes it; `release` follows when the wait is over."""
        if type(condition) is Const:
            # Nobody writes it: there is nothing to look at.
            return "signal", self._engine.slot(self._always[condition.value != 0])
        about = condition, shape
        if self._alike and type(condition) is not Signal:
            known = self._claim(about, *self._key(condition)[:2])
            if known is not None:
                return "condition", about, self._engine.slot(known.signal)
        return self._engine.sampled(*about)

    def release(self, part: tuple[Any, ...]) -> None:
        """A wait is over."""
        claimed = self._claims.pop(id(part[1]), None)
        if claimed is not None:
            claimed.waiting -= 1

    def compute(self, about: About, ticks: int) -> int | None:
        """The slot of a condition, which the design computes from now on; None: it cannot, or it is not worth it yet.
        Somebody has waited for it for some more ticks.
        """
        key, values, constants = self._key(about[0])
        if key is None:
            return None
        known = self._claims.get(id(about)) or self._claim(about, key, values)
        if known is None:
            self._waits[key] += ticks
            if self._waits[key] < self.worth or len(self.computed) == MOST or not self._can_compute(about[0]):
                return None
            known = self._add(about[0], constants)
            self._alike.setdefault(key, []).append(known)
            self._claim(about, key, values)
        return self._engine.slot(known.signal)

    def _key(self, condition: Value) -> tuple[Any, tuple[int, ...], list[tuple[Const, int]]]:
        """What is equal for conditions that differ in constants only; the values of those, and they with widths."""
        constants: list[tuple[Const, int]] = []
        key = structure(condition, row_place, constants)
        if _has_array(key) or len({id(each) for each, _ in constants}) < len(constants):
            # Numbers in an array are other constants each time that one looks at them, and one has one width.
            constants.clear()
            key = structure(condition, row_place)
        return key, tuple(each.value for each, _ in constants), constants

    def _can_compute(self, condition: Value) -> bool:
        """At its tick a clock is seen as it is after the edge, and what logic makes of it as it was before."""
        engine = self._engine
        return not any(engine._signals.is_clock(engine.slot(each)) for each in leaves(condition))

    def _claim(self, about: About, key: Any, values: tuple[int, ...]) -> Computed | None:
        """The condition that the design computes, which has these constants until it is released."""
        alike = self._alike.get(key, ())
        found = next((each for each in alike if each.constants == values), None)
        found = found or next((each for each in alike if not each.waiting), None)
        if found is None:
            return None
        if found.constants != values:
            for signal, value in zip(found.inputs, values, strict=True):
                self._engine._signals.set_constant(self._engine.slot(signal), value)
            found.constants = values
        found.waiting += 1
        self._claims[id(about)] = found
        return found

    def _add(self, condition: Value, constants: list[tuple[Const, int]]) -> Computed:
        """Let the design compute a condition, with inputs for constants."""
        engine = self._engine
        inputs = [Signal(Shape(width, each.shape().signed)) for each, width in constants]
        for each in inputs:
            # Known before the design knows them.
            engine.slot(each)
        computed = Computed(Signal(), inputs)
        self.computed.append(computed)
        standing = [(constant, each) for (constant, _), each in zip(constants, inputs, strict=True)]
        added = engine._design.compute(condition, computed.signal, standing)
        engine._adopt(engine._design.store([id(computed.signal)]), added)
        return computed


def _has_array(key: Any) -> bool:
    """Whether there is an array in an expression."""
    return isinstance(key, tuple) and bool(key) and (key[0] == "ArrayProxy" or any(map(_has_array, key)))
