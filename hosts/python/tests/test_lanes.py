"""One function in many lanes: threads, barriers, seeds, failures."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import rtlwasm
from conftest import DESIGNS
from rtlwasm import Artifact, Model, barrier, lane_count, lane_id, lane_seed, lanes


@pytest.fixture(params=["threads", "one after the other"])
def anyhow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RTLWASM_SINGLE_THREAD", str(int(request.param != "threads")))
    return request.param


@pytest.fixture
def single(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTLWASM_SINGLE_THREAD", "1")


def counts(model: Model, cycles: int) -> tuple[int, int, int]:
    model["en"].value = 1
    model.step(cycles * (lane_id() + 1))
    return lane_id(), lane_count(), model["count"].value


def test_every_lane_has_a_model(counter_artifact: Artifact, anyhow: str) -> None:
    assert lanes(4, counts, counter_artifact, 10) == [(0, 4, 10), (1, 4, 20), (2, 4, 30), (3, 4, 40)]
    assert lanes(0, counts, counter_artifact, 10) == []


@pytest.mark.parametrize("engine", ["interp", "both"])
def test_lanes_of_other_engines(counter_artifact: Artifact, engine: str) -> None:
    assert lanes(2, lambda model: (model.engine, *counts(model, 3)), counter_artifact, engine=engine) == [
        (engine, 0, 2, 3),
        (engine, 1, 2, 6),
    ]


def test_a_function_makes_the_models(counter_artifact: Artifact, anyhow: str) -> None:
    def make(seed: int) -> Model:
        assert seed == lane_seed()
        model = counter_artifact.model(seed=seed)
        model["count"]
        model["shifter"].value = lane_id()
        return model

    assert lanes(3, lambda model: model["shifter"].value, make) == [0, 1, 2]


def test_seeds_are_of_lanes(anyhow: str) -> None:
    artifact = rtlwasm.compile(DESIGNS / "counter.il", top="counter", undef="random")

    def undefined(model: Model) -> tuple[int, ...]:
        return (lane_seed(), *model["ram"])

    first = lanes(4, undefined, artifact, seed=1)
    assert len(set(first)) == 4
    assert first == lanes(4, undefined, artifact, seed=1)
    assert first[:2] == lanes(2, undefined, artifact, seed=1)
    assert not set(first) & set(lanes(4, undefined, artifact, seed=2))
    seed, *rows = first[3]
    assert list(artifact.model(seed=seed)["ram"]) == rows


def test_a_barrier_holds_all_lanes(counter_artifact: Artifact) -> None:
    shared: list[int] = []

    def meets(model: Model) -> list[int]:
        for turn in range(5):
            time.sleep(0.001 * (lane_id() + turn) % 3)
            shared.append(turn)
            barrier()
            assert len(shared) >= 4 * (turn + 1)
            barrier()
        return shared[:]

    assert lanes(4, meets, counter_artifact)[0] == sorted(shared)


def test_a_barrier_of_single_lanes_is_an_error(counter_artifact: Artifact, single: None) -> None:
    with pytest.raises(rtlwasm.LaneError, match="lane 0 is at a barrier, and RTLWASM_SINGLE_THREAD") as caught:
        lanes(3, lambda model: barrier(), counter_artifact)
    assert caught.value.lane == 0


def test_a_failure_arrives_with_its_lane(counter_artifact: Artifact, anyhow: str) -> None:
    def fails(model: Model) -> None:
        if lane_id() == 3:
            raise KeyError("three")

    with pytest.raises(KeyError, match="three") as caught:
        lanes(6, fails, counter_artifact)
    assert caught.value.lane == 3
    assert caught.value.__notes__[0].startswith("in lane 3 of 6, with the seed 0x")
    assert any(frame.name == "fails" for frame in caught.traceback)


def test_who_waits_for_a_lane_that_failed_does_not_hang(counter_artifact: Artifact) -> None:
    def fails(model: Model) -> None:
        if lane_id() == 2:
            time.sleep(0.01)
            raise ValueError("two")
        barrier()

    before = threading.active_count()
    with pytest.raises(ValueError, match="two") as caught:
        lanes(4, fails, counter_artifact)
    assert caught.value.lane == 2
    assert threading.active_count() == before


def test_who_waits_for_a_lane_that_ended_does_not_hang(counter_artifact: Artifact) -> None:
    def ends(model: Model) -> None:
        if lane_id() == 1:
            return
        barrier()

    for _ in range(5):
        with pytest.raises(rtlwasm.LaneError, match="lane 1 has ended without coming there") as caught:
            lanes(3, ends, counter_artifact)
        assert caught.value.lane == 0


def test_several_failures_are_told(counter_artifact: Artifact) -> None:
    def fails(model: Model) -> None:
        barrier()
        assert lane_id() not in {1, 3}

    with pytest.raises(AssertionError) as caught:
        lanes(4, fails, counter_artifact)
    assert caught.value.__notes__[0].endswith("lanes that failed, too: 3")


def test_a_lane_is_only_known_inside() -> None:
    for ask in (lane_id, lane_count, lane_seed, barrier):
        with pytest.raises(rtlwasm.LaneError, match="none is running in this thread"):
            ask()


def test_lanes_in_lanes(counter_artifact: Artifact, anyhow: str) -> None:
    def outer(model: Model) -> tuple[list[int], int]:
        return lanes(2, lambda model: lane_id(), counter_artifact), lane_id()

    assert lanes(2, outer, counter_artifact) == [([0, 1], 0), ([0, 1], 1)]


def test_the_order_can_be_shuffled_and_repeated(counter_artifact: Artifact, single: None) -> None:
    def order(shuffle: int | None) -> list[int]:
        seen: list[int] = []
        results = lanes(8, lambda model: seen.append(lane_id()), counter_artifact, shuffle=shuffle)
        assert results == [None] * 8
        return seen

    assert order(None) == list(range(8))
    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == list(range(8))

    def fails(model: Model) -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:
        lanes(3, fails, counter_artifact, shuffle=5)
    assert "the lanes were started in the order" in caught.value.__notes__[0]


TEST = """
import rtlwasm
def test_order(request):
    seen = []
    rtlwasm.lanes(8, lambda model: seen.append(rtlwasm.lane_id()), lambda seed: None)
    print("order", seen)
"""


def test_pytest_shuffles_lanes(pytester: pytest.Pytester, single: None) -> None:
    pytester.makepyfile(TEST)

    def order(*options: str) -> tuple[str, str]:
        result = pytester.runpytest_subprocess("-s", *options)
        result.assert_outcomes(passed=1)
        lines = result.outlines
        header = [line for line in lines if line.startswith("rtlwasm: lanes")]
        return next(line for line in lines if "order" in line), header[0] if header else ""

    assert order() == ("test_pytest_shuffles_lanes.py order [0, 1, 2, 3, 4, 5, 6, 7]", "")
    found, header = order("--shuffle-lanes=11")
    assert header == "rtlwasm: lanes are shuffled, again with --shuffle-lanes=11"
    assert order("--shuffle-lanes=11")[0] == found != order()[0]
    found, header = order("--shuffle-lanes")
    assert order(header.split()[-1])[0] == found


def test_an_interrupt_ends_the_call(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(
        """
import os, signal, threading, time, rtlwasm
# What runs in the background of a shell ignores interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
def waits(model):
    if rtlwasm.lane_id() == 0:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    rtlwasm.barrier()
try:
    rtlwasm.lanes(2, waits, lambda seed: None)
except KeyboardInterrupt:
    print("interrupted")
"""
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=30)
    assert done.stdout == "interrupted\n"
