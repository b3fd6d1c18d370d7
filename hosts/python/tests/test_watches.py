"""Watches, staged writes and the change trace from Python."""

from __future__ import annotations

import pytest
import rtlwasm
from conftest import DESIGNS
from rtlwasm import Change, Model, Run


def test_a_run_stops_where_something_happens(counter: Model) -> None:
    counter.poke("en", 1)
    with counter.watch("count", 20, stop="after") as watch:
        run = counter.step(100)
        assert (run.status, bool(run), watch.hit, counter.peek("count")) == ("watch", False, True, 20)
        assert counter.step(5)
        assert not watch.hit
        watch.rearm(2)
        assert counter.step(1000).status == "watch"
    assert counter.step(1000)
    assert repr(watch) == 'Watch("count")'


def test_before_the_edge(counter: Model) -> None:
    counter.poke("en", 1)
    with counter.watch("clk", again=True):
        for n in range(10):
            assert counter.step(100).status == "watch"
            assert counter.edge_pending
            assert counter.peek("count") == n
            if n == 7:
                # Unseen by the edge, and it wins.
                counter.stage("ram[3]", 77)
                counter.stage("en", 0)
                break
        assert counter["ram"][3] != 77
        counter.eval()
        assert (counter.edge_pending, counter["ram"][3], counter.peek("count")) == (False, 77, 8)
        assert counter.step(100).status == "watch"
        counter.eval()
        assert counter.peek("count") == 8


def test_what_was_before(counter: Model) -> None:
    counter.poke("en", 1)
    with counter.watch("clk", stop="keep", hits=5):
        assert counter.step(100).status == "watch"
        assert (counter.peek_before("count"), counter.peek("count"), counter.edge_pending) == (4, 5, False)


def test_refusals(counter: Model) -> None:
    with pytest.raises(rtlwasm.OptionError, match="when is"):
        counter.watch("count", "sometimes")
    with pytest.raises(rtlwasm.OptionError, match="stop is"):
        counter.watch("count", stop="never")
    with pytest.raises(rtlwasm.UnknownNameError):
        counter.watch("cuont")
    with pytest.raises(rtlwasm.NotWritableError):
        counter.stage("count", 3)
    with pytest.raises(rtlwasm.ValueRangeError):
        counter.stage("en", 2)
    with pytest.raises(rtlwasm.RtlwasmError, match="trace"), counter.changes():
        pass


def test_changes_inside_one_call() -> None:
    model = rtlwasm.compile(DESIGNS / "counter.il", top="counter", trace=True).model()
    model.poke("en", 1)
    with model.changes() as changes:
        model.step(3)
        first = changes()
        assert [change.value for change in first if change.name == "count"] == [0, 1, 2, 3]
        model.poke("en", 0)
        model.step(2)
        assert {change.name for change in changes()} == {"clk", "en"}
    model.step(1)
    with model.changes() as changes:
        assert changes() == []
    assert Change(4, "count", 0, 0, 3) in first
    assert Run("watch", 3).status == "watch"
