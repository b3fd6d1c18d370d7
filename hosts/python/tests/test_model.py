"""Values, runs, time, events, snapshots."""

from __future__ import annotations

import subprocess
import sys

import pytest
import rtlwasm
from conftest import DESIGNS, REPOSITORY, verilog
from rtlwasm import Model


def test_poke_step_peek(counter: Model) -> None:
    counter.poke("en", 1)
    run = counter.step(10)
    assert run
    assert (run.status, run.cycles, run.finished) == ("ok", 10, False)
    assert counter.peek("count") == 10
    assert counter.time == 20


def test_a_poke_waits_for_the_next_call(counter: Model) -> None:
    counter["ram"][3] = 0xBEEF
    counter.poke("addr", 3)
    assert counter["word"].value == 0
    counter.eval()
    assert counter["word"].value == 0xBEEF


def test_every_way_to_name_a_signal(counter: Model) -> None:
    counter.poke(["en"], True)
    counter.poke(("counter.en"), 1)
    counter.step()
    assert counter.peek(counter["count"]) == counter.peek(["count"]) == counter.peek("counter.count") == 1
    with pytest.raises(TypeError, match="named by"):
        counter.peek(3)


@pytest.mark.parametrize("value", [0, 1, 2**64, 2**99 + 1, (1 << 100) - 1])
def test_wide_values(counter: Model, value: int) -> None:
    counter["shifter"].value = value
    counter.eval()
    assert counter["wide"].value == value
    assert counter.peek("wide") == value


def test_numbers_in_every_notation(counter: Model) -> None:
    shifter = counter["shifter"]
    for number in ("42", "0x2a", "0b101010", "100'h2a", 42):
        shifter.value = number
        assert shifter.value == 42
    shifter.value = -1
    assert shifter.value == (1 << 100) - 1
    assert shifter.signed_value == -1
    counter["addr"].value = -8
    assert (counter["addr"].value, counter["addr"].signed_value) == (8, -8)
    with pytest.raises(rtlwasm.ValueRangeError, match="-9 does not fit `addr`.*the least that it takes is -8"):
        counter["addr"].value = -9


def test_numpy_scalars_are_numbers(counter: Model) -> None:
    numpy = pytest.importorskip("numpy")
    counter.poke("addr", numpy.uint8(5))
    counter.poke("en", numpy.array([3, 4])[1] > 3)
    assert (counter.peek("addr"), counter.peek("en")) == (5, 1)


def test_signals_are_compared_with_signals(counter: Model) -> None:
    assert counter["count"] == counter["count"]
    assert len({counter["count"], counter["counter.count"], counter["en"]}) == 2
    assert counter["count"] != counter.fork()["count"]
    assert counter["count"] is not None
    assert counter["count"] not in [None, counter["en"]]
    for number in (5, "5", True):
        with pytest.raises(TypeError, match="compare its value"):
            counter["count"] == number  # noqa: B015
    with pytest.raises(TypeError, match="compare its value"):
        counter["count"] != 5  # noqa: B015


def test_memory_rows(counter: Model) -> None:
    ram = counter["ram"]
    ram[0:4] = [1, 2, 3, 4]
    assert (ram[2], ram[0:4], ram[3:0:-2], len(ram), list(ram)[:4]) == (3, [1, 2, 3, 4], [4, 2], 16, [1, 2, 3, 4])
    assert counter.peek("ram[1]") == 2
    counter.poke("ram[1]", 7)
    assert ram[1] == 7
    with pytest.raises(rtlwasm.RowError):
        ram[16]
    with pytest.raises(TypeError, match="is no memory"):
        counter["count"][0]
    assert (ram.kind, ram.width, ram.depth, ram.first_row) == ("memory", 16, 16, 0)


def test_load_memory(counter: Model, tmp_path) -> None:
    image = tmp_path / "image.hex"
    image.write_text("@2 11 22\n")
    assert counter.load("ram", image) == 2
    assert counter["ram"][2:4] == [0x11, 0x22]
    image.write_text("gg\n")
    with pytest.raises(rtlwasm.ImageError, match="image.hex:1"):
        counter.load("ram", image)
    with pytest.raises(FileNotFoundError):
        counter.load("ram", tmp_path / "missing.hex")


def test_run_until(counter: Model) -> None:
    counter.poke("en", 1)
    assert counter.run_until("count", 50, max_cycles=1000).cycles == 50
    assert counter.run_until(counter["count"], 50).cycles == 0
    assert counter.run_until("next", 61).cycles == 10
    with pytest.raises(TimeoutError, match="`count` is 63 and not 2 after 3 cycles"):
        counter.run_until("count", 2, max_cycles=3)


def test_run_until_a_function_is_true(counter: Model) -> None:
    counter.poke("en", 1)
    assert counter.run_until(lambda: counter["wide"].value > 1000).cycles == 10
    with pytest.raises(rtlwasm.ConditionNotMetError, match="after 5 cycles"):
        counter.run_until(lambda: False, max_cycles=5)
    assert counter.run_until(lambda: True).cycles == 0
    counter["ram"][3] = 0xBEEF
    counter.poke("addr", 3)
    assert counter.run_until(lambda: counter["word"].value == 0xBEEF).cycles == 0


def test_many_cycles_go_in_pieces(counter: Model) -> None:
    counter.poke("en", 1)
    counter["addr"].value = 0
    assert counter.step(3_000_001).cycles == 3_000_001
    assert counter["count"].value == 3_000_001 % 256
    assert counter.clock("clk").cycles == 3_000_001


def test_finish_ends_a_run(counter: Model) -> None:
    counter.poke("en", 1)
    counter.poke("addr", 1)
    run = counter.step(1000)
    assert (run.status, run.finished, bool(run), run.cycles) == ("finish", True, False, 200)
    assert counter.step(10).cycles == 10
    assert counter.run_until("count", 5, max_cycles=1000).status == "ok"


def test_stop(counter: Model) -> None:
    counter.poke("en", 1)
    counter.poke("addr", 3)
    assert counter.run_until("count", 250).status == "stop"


def test_a_failed_assertion_is_an_exception(counter: Model) -> None:
    counter.poke("en", 1)
    counter.poke("addr", 2)
    with pytest.raises(rtlwasm.AssertionFailed, match="wrong 200") as caught:
        counter.step(1000)
    assert caught.value.cycles == 200
    assert (caught.value.event.kind, caught.value.event.args) == ("fatal", [200])
    counter.reset()
    counter.events()
    counter.poke("en", 1)
    counter.poke("addr", 4)
    seen: list[str] = []
    counter.on_event(lambda event: seen.append(event.kind))
    with pytest.raises(AssertionError, match="assert"):
        counter.step(1000)
    assert seen == ["display", "assert"]


def test_events(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(10)
    [event] = counter.events()
    assert (event.kind, str(event), event.time) == ("display", "five at 5, 0000000000000000000000020\n", 10)
    assert event.args == [5, 32]
    assert counter.events() == []


def test_events_to_a_function(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(10)
    seen: list[rtlwasm.Event] = []
    counter.on_event(seen.append)
    assert len(seen) == 1
    counter.step(256)
    assert len(seen) == 2
    counter.on_event(None)
    counter.step(256)
    assert (len(seen), len(counter.events())) == (2, 1)
    with pytest.raises(TypeError):
        counter.on_event(3)


def test_a_callback_may_use_the_model_and_may_fail(counter: Model) -> None:
    counter.poke("en", 1)
    values: list[int] = []
    counter.on_event(lambda event: values.append(counter["count"].value))
    counter.step(8)
    assert values == [8]

    def fails(event: rtlwasm.Event) -> None:
        raise ValueError("mine")

    counter.on_event(fails)
    with pytest.raises(ValueError, match="mine"):
        counter.step(256)


def test_events_that_a_failing_callback_has_not_seen_are_kept(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(3 * 256)
    seen: list[rtlwasm.Event] = []

    def first_only(event: rtlwasm.Event) -> None:
        seen.append(event)
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        counter.on_event(first_only)
    counter.on_event(None)
    assert [event.time for event in [*seen, *counter.events()]] == [10, 522, 1034]


def test_reset_is_power_on(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(5)
    assert counter.reset()
    assert (counter.time, counter["count"].value, counter["en"].value) == (0, 0, 0)


def test_reset_keeps_the_seed() -> None:
    model = rtlwasm.compile(DESIGNS / "counter.il", undef="random").model(seed=7)
    first = model["ram"][0:16]
    model.reset()
    assert model["ram"][0:16] == first
    model.reset(8)
    assert model["ram"][0:16] != first
    assert model.reset(7)
    assert model["ram"][0:16] == first


def test_hold_reset(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(5)
    assert counter.hold_reset("rst", cycles=3).cycles == 3
    assert (counter["count"].value, counter["rst"].value) == (0, 0)
    with pytest.raises(rtlwasm.UnknownNameError, match="which reset"):
        counter.hold_reset()


LOW_RESET = """
module \\top
  wire input 1 \\clk
  wire input 2 \\rst_n
  wire width 4 input 3 \\d
  wire width 4 output 4 \\q
  cell $adff $r
    parameter \\ARST_POLARITY 1'0
    parameter \\ARST_VALUE 4'1001
    parameter \\CLK_POLARITY 1'1
    parameter \\WIDTH 4
    connect \\ARST \\rst_n
    connect \\CLK \\clk
    connect \\D \\d
    connect \\Q \\q
  end
end
"""


def test_a_reset_that_is_active_low_by_any_name() -> None:
    model = rtlwasm.compile(LOW_RESET).model()
    for name in (None, "rst_n", "top.rst_n", ["rst_n"], model["rst_n"]):
        model.poke("rst_n", 1)
        model.step()
        assert model["q"].value == 0
        model.hold_reset(name)
        assert (model["q"].value, model["rst_n"].value) == (9, 1), name


def test_snapshots(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(10)
    saved = counter.snapshot()
    counter.step(10)
    counter.restore(saved)
    assert (counter["count"].value, counter.time) == (10, 20)
    assert counter.snapshot() == saved
    with pytest.raises(rtlwasm.ForeignError):
        counter.restore(saved[:-1])
    with pytest.raises(rtlwasm.ForeignError):
        counter.restore(b"")


def test_fork(counter: Model) -> None:
    counter.poke("en", 1)
    counter.step(10)
    twin = counter.fork()
    assert isinstance(twin, Model)
    twin.step(3)
    assert (twin["count"].value, counter["count"].value) == (13, 10)
    assert twin.artifact is counter.artifact


def test_a_fork_is_of_the_same_artifact(counter: Model, two_clocks: Model) -> None:
    with pytest.raises(rtlwasm.ForeignError, match="artifact of its model"):
        Model(two_clocks.artifact, fork_of=counter)


def test_signals_are_good_for_every_model_of_their_artifact(counter: Model, two_clocks: Model) -> None:
    twin = counter.fork()
    twin.poke(counter["en"], 1)
    twin.step()
    assert (twin.peek(counter["count"]), counter["count"].value) == (1, 0)
    with pytest.raises(rtlwasm.ForeignError):
        two_clocks.peek(counter["en"])


def test_several_clocks(two_clocks: Model) -> None:
    two_clocks.step(3, clock="red")
    two_clocks.step(2, clock=two_clocks.clock("blue"))
    assert (two_clocks["reds"].value, two_clocks["blues"].value) == (3, 2)
    with pytest.raises(rtlwasm.UnknownNameError, match="which clock.*red.*blue"):
        two_clocks.step()
    with pytest.raises(rtlwasm.UnknownNameError, match="no clock `green`"):
        two_clocks.step(clock="green")
    with pytest.raises(TypeError, match="a clock is named by a str or a Clock, and not by int"):
        two_clocks.step(clock=1)
    assert [clock.name for clock in two_clocks.clocks] == ["red", "blue"]


def test_edges(two_clocks: Model) -> None:
    red = two_clocks.clock("red")
    red.rise()
    assert (two_clocks["reds"].value, red.level, red.cycles, two_clocks.time) == (1, 1, 1, 0)
    red.rise()
    assert two_clocks["reds"].value == 1
    red.fall()
    assert red.level == 0


def test_advance_runs_the_started_clocks(two_clocks: Model) -> None:
    red, blue = two_clocks.clocks
    red.period, blue.period = (5, 5), (2, 1)
    red.start(delay=5)
    blue.start()
    two_clocks.advance(100)
    assert (two_clocks.time, two_clocks["reds"].value, two_clocks["blues"].value) == (100, 10, 34)
    blue.stop()
    two_clocks.advance_to(1_000_000)
    assert (two_clocks["reds"].value, two_clocks["blues"].value) == (100_000 % 256, 34)
    with pytest.raises(rtlwasm.ValueRangeError, match="backwards"):
        two_clocks.advance_to(5)
    two_clocks.time += 1
    assert two_clocks.time == 1_000_001
    assert two_clocks.time_unit == 1e-9


def test_representations(counter: Model) -> None:
    assert repr(counter) == "Model('counter', time 0, clk after 0 cycles)"
    assert repr(counter["count"]) == 'Signal("count", output, width 8, value 0x0)'
    assert repr(counter["ram"]) == 'Signal("ram", memory, width 16, rows 0 to 15)'
    assert repr(counter.clock("clk")) == 'Clock("clk", edge="rise")'
    assert repr(counter.step(2)) == 'Run("ok", cycles=2)'
    assert repr(counter.artifact).startswith("Artifact('counter', ")
    html = counter._repr_html_()
    assert html.count("<tr>") == 8
    counter.trace(cycles=4)
    assert "<svg" in counter._repr_html_()


def test_progress(counter: Model, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    assert counter.step(1000, progress=True).cycles == 1000
    assert "1.00k/1.00k" in capsys.readouterr().err
    assert counter.run_until("count", 0, progress=True)
    counter.advance(5, progress=True)


def test_interrupts_reach_a_long_run() -> None:
    program = (
        "import _thread, signal, sys, threading, rtlwasm\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "model = rtlwasm.compile(sys.argv[1], top='counter').model()\n"
        "model.step(10**12)\n"  # changes nothing, so that it is over at once
        "model.poke('en', 1)\n"
        "threading.Timer(0.5, _thread.interrupt_main).start()\n"
        "try:\n    model.step(10**15)\n"
        "except KeyboardInterrupt:\n    print('interrupted', model.time > 2 * 10**12)\n"
    )
    command = [sys.executable, "-c", program, str(DESIGNS / "counter.il")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "interrupted True\n", done.stderr


@verilog
@pytest.mark.filterwarnings("ignore::rtlwasm.CompileWarning")
def test_plusargs_and_covers() -> None:
    fixtures = REPOSITORY / "fixtures" / "event"
    artifact = rtlwasm.compile(fixtures / "plusargs.v")
    assert artifact.manifest["plusargs"]
    name = artifact.manifest["plusargs"][0]["name"].partition("%")[0]
    assert artifact.model().set_plusarg(f"{name}1")
    assert not artifact.model(plusargs=[f"{name}1"]).set_plusarg("no_such_thing")
    plain, plus = (artifact.model(plusargs=[f"{sign}{name}1"]) for sign in ("", "+"))
    assert plain.snapshot() == plus.snapshot() != artifact.model().snapshot()
    with pytest.raises(TypeError, match="plusargs"):
        artifact.model(plusargs=f"{name}1")
    model = rtlwasm.compile(fixtures / "assert_concurrent.sv").model()
    assert all(isinstance(count, int) for _, count in model.covers())
