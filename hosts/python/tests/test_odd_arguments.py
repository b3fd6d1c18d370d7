"""Whatever Python hands in: an exception, never a panic, a crash or a changed model."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import rtlwasm
from rtlwasm import Model

ODD: list[Any] = [
    None,
    -1,
    2**63,
    2**64,
    2**200,
    -(2**200),
    1.5,
    float("nan"),
    "",
    "count",
    "ram",
    "ram[99]",
    "ram[-1]",
    "\udc80",
    "a.b.c" * 100,
    b"",
    b"x" * 5000,
    [],
    ["count"],
    [[]],
    {},
    object(),
    np.zeros(3),
    np.zeros((2, 2, 2), dtype=np.uint64),
    slice(None, None, 2),
    lambda *args: 1 / 0,
]


def attempts(model: Model) -> list[Any]:
    """Everything that takes an argument, as functions of it."""
    ram, en = model["ram"], model["en"]
    clock = model.clock("clk")
    return [
        model.peek,
        model.step,
        model.signal,
        model.clock,
        model.restore,
        model.set_plusarg,
        model.advance_to,
        model.on_event,
        model.play,
        model.trace,
        model.__getitem__,
        model.top.__getitem__,
        model.hold_reset,
        clock.start,
        ram.__getitem__,
        rtlwasm.load,
        rtlwasm.compile,
        lambda value: model.step(2, clock=value),
        lambda value: en == value,
        lambda value: value in model,
        model.reset,
        lambda value: model.artifact.model(seed=value),
        lambda value: model.artifact.model(plusargs=value),
        lambda value: model.run_until(lambda: False, max_cycles=2, clock=value),
        lambda value: model.play({"en": [1]}, value),
        lambda value: model.play({"en": [[value]]}),
        lambda value: model.poke("en", value),
        lambda value: model.poke("shifter", value),
        lambda value: model.play({"en": value}, cycles=1),
        lambda value: model.play({"shifter": value}, cycles=1),
        lambda value: model.run_until("count", value, max_cycles=2),
        lambda value: model.run_until(value, 1, max_cycles=2),
        lambda value: model.load("ram", value),
        lambda value: model.load(value, "/nowhere"),
        lambda value: setattr(en, "value", value),
        lambda value: setattr(model, "time", value),
        lambda value: setattr(clock, "period", value),
        lambda value: setattr(clock, "period", (value, value)),
        lambda value: ram.__setitem__(value, 1),
        lambda value: ram.__setitem__(0, value),
        lambda value: ram.__setitem__(slice(0, 2), value),
        lambda value: rtlwasm.Run(value, value),
        lambda value: rtlwasm.compile(value, ports=[]),
        lambda value: rtlwasm.compile("module \\m\nend\n", top=value, parameters={"A": value}),
    ]


def test_odd_arguments(counter: Model) -> None:
    limit = 2**40
    for (number, function), argument in itertools.product(enumerate(attempts(counter)), ODD):
        if isinstance(argument, int) and argument > limit and function in (counter.step, counter.advance_to):
            continue  # a long run is no mistake
        try:
            function(argument)
        except Exception as error:  # noqa: BLE001 - any is right as long as it is one
            assert not isinstance(error, rtlwasm.InternalError), f"{number} {argument!r}: {error}"
        counter.on_event(None)
    counter.reset()
    counter.poke("en", 1)
    counter.step(3)
    assert counter["count"].value == 3


@pytest.mark.parametrize("number", [-1, -(2**200), 2**64, 2**5000])
def test_counts_times_and_seeds_that_cannot_be(counter: Model, number: int) -> None:
    clock, counted = counter.clock("clk"), counter.watch("count", "changed", hits=0)
    calls = {
        "cycles": [
            lambda: counter.step(number),
            lambda: counter.run_until("count", 3, max_cycles=number),
            lambda: counter.hold_reset("rst", cycles=number),
        ],
        "time": [
            lambda: counter.advance(number),
            lambda: counter.advance_to(number),
            lambda: setattr(counter, "time", number),
            lambda: setattr(clock, "period", (1, number)),
            lambda: clock.start(number),
        ],
        "seed": [lambda: counter.reset(number), lambda: counter.artifact.model(seed=number)],
        "hits": [lambda: counted.rearm(number), lambda: counter.watch("count", "changed", hits=number)],
    }
    if number < 0:
        calls["cycles"] += [lambda: counter.trace(cycles=number), lambda: counter.play({"en": 1}, cycles=number)]
    for what, functions in calls.items():
        for function in functions:
            with pytest.raises(rtlwasm.ValueRangeError, match=f"is no (number of )?{what}: that is 0") as raised:
                function()
            assert len(str(raised.value)) < 200
    with pytest.raises(rtlwasm.ConditionNotMetError):
        counter.run_until(lambda: False, max_cycles=-1)
    assert (counter.time, counter["rst"].value, counter["count"].value) == (0, 0, 0)
