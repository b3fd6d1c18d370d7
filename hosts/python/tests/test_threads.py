"""The interpreter lock is free while a model runs; one thread uses a model at a time."""

from __future__ import annotations

import threading
import time

import pytest
import rtlwasm
from rtlwasm import Model


def run_in_a_thread(model: Model, cycles: int) -> threading.Thread:
    """Cycles in which something changes: others are only counted, which is over at once."""
    runner = threading.Thread(target=model.step, args=(cycles,), kwargs={"clock": "red"})
    runner.start()
    return runner


def test_python_goes_on_while_a_model_runs(two_clocks: Model) -> None:
    runner = run_in_a_thread(two_clocks, 50_000_000)
    ticks = 0
    while runner.is_alive():
        ticks += 1
        time.sleep(0.001)
    assert ticks > 10


def test_several_models_on_several_threads(counter_artifact: rtlwasm.Artifact) -> None:
    models = [counter_artifact.model() for _ in range(4)]

    def run(model: Model, cycles: int) -> None:
        model.poke("en", 1)
        for _ in range(100):
            model.step(cycles)

    threads = [threading.Thread(target=run, args=(model, i + 1)) for i, model in enumerate(models)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [model["count"].value for model in models] == [100, 200, 300 % 256, 400 % 256]


def test_a_second_thread_is_told_that_the_model_is_busy(two_clocks: Model) -> None:
    two_clocks.step(2_000_000, clock="red")
    runner = run_in_a_thread(two_clocks, 100_000_000)
    found = None
    while runner.is_alive() and found is None:
        try:
            two_clocks.peek("reds")
        except rtlwasm.ModelBusyError as error:
            found = error
    runner.join()
    assert "fork()" in str(found)
    assert two_clocks.peek("reds") == 102_000_000 % 256


def test_views_can_be_made_and_dropped_while_another_thread_runs(counter: Model) -> None:
    array = counter["ram"].array(writable=True)
    counter.poke("en", 1)
    runner = threading.Thread(target=counter.step, args=(2_000_000,))
    runner.start()
    del array
    runner.join()
    assert counter["count"].value == 2_000_000 % 256
    counter["ram"].array(writable=True)[2] = 9
    counter.poke("addr", 2)
    counter.eval()
    assert counter["word"].value == 9


def test_a_model_used_from_inside_its_own_callback(counter: Model) -> None:
    counter.poke("en", 1)
    counter.on_event(lambda event: counter.step(1))
    counter.step(6)
    assert counter["count"].value == 7
    with pytest.raises(RecursionError):
        counter.on_event(lambda event: counter.step(256))
        counter.step(256)
