"""Runs stop where they are asked to, and show what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import rtlwasm
from conftest import DESIGNS, verilog
from rtlwasm import Artifact, Model, Stop

ENGINES = ("wasm", "interp", "both")

WALK = """\
module step (input wire clk, input wire go, output reg [3:0] at);
    initial at = 0;
    always @(posedge clk)
        if (go) begin
            at <= at + 4'd1;
            if (at == 4'd9)
                at <= 4'd0;
        end
endmodule

module walk (
    input wire clk, input wire rst, input wire [1:0] op, output reg [7:0] acc, output wire [3:0] at, output wire odd
);
    reg [7:0] kept [0:3];
    step step (.clk(clk), .go(op == 2'd3), .at(at));
    assign odd = ^acc;
    always @(posedge clk)
        if (rst)
            acc <= 8'd0;
        else
            case (op)
                2'd1: acc <= acc + 8'd5;
                2'd2: kept[acc[1:0]] <= acc;
                2'd3: begin
                    acc <= kept[0];
                    $display("three");
                end
            endcase
endmodule
"""


@pytest.fixture(params=ENGINES)
def model(counter_artifact: Artifact, request: pytest.FixtureRequest) -> Model:
    model = counter_artifact.model(engine=request.param)
    model["en"].value = 1
    return model


@pytest.fixture(scope="session")
def walk_artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    path = tmp_path_factory.mktemp("walk") / "walk.v"
    path.write_text(WALK)
    return rtlwasm.compile(path, top="walk")


@pytest.fixture
def walk(walk_artifact: Artifact) -> Model:
    return walk_artifact.model(engine="interp")


def line_of(text: str) -> int:
    return next(i for i, line in enumerate(WALK.splitlines(), 1) if text in line)


def test_any_change_stops_a_run(model: Model) -> None:
    found = model.break_on("count")
    assert found.what == "count"
    run = model.step(100)
    assert not run
    assert (run.status, run.cycles, run.finished) == ("break", 0, False)
    assert repr(run) == 'Run("break", cycles=0)'
    stop = run.stop
    assert isinstance(stop, Stop)
    assert [(change.name, change.old, change.new) for change in stop.changes] == [("count", 0, 1)]
    assert (stop.cycle, stop.time, model["count"].value, found.hits) == (1, 1, 1, 1)
    assert model.clock("clk").level == 1


def test_a_stopped_run_goes_on_in_the_middle_of_a_cycle(model: Model) -> None:
    model.break_on("count", 10)
    first = model.step(100)
    assert (first.cycles, model["count"].value) == (9, 10)
    rest = model.step(100 - first.cycles)
    assert rest
    assert (first.cycles + rest.cycles, model["count"].value, model.time) == (100, 100, 200)


def test_a_value_counts_when_it_is_reached(model: Model) -> None:
    model["count"]
    made = model.break_on(model["count"], "0x40")
    assert model.step(1000).stop.cycle == 64
    assert model["count"].value == 64
    # It is 64 all the time now.
    model["en"].value = 0
    assert model.step(50)
    assert made.hits == 1


def test_what_is_poked_is_no_change(model: Model) -> None:
    model["en"].value = 0
    model.break_on("shifter")
    model["rst"].value = 1
    model.step(3)
    model["rst"].value = 0
    model.break_on("ram[3]")
    model["ram"][3] = 5
    assert model.eval()


def test_breaks_can_be_removed(model: Model) -> None:
    ten, twenty = model.break_on("count", 10), model.break_on("count", 20)
    assert model.breaks == [ten, twenty]
    ten.remove()
    assert model.step(100).stop.changes[0].new == 20
    twenty.remove()
    twenty.remove()
    assert model.breaks == []
    assert model.step(100)
    assert repr(twenty) == "Break('count == 20', hits=1)"


def test_every_call_that_runs_stops(model: Model) -> None:
    model.break_on("count")
    assert model.run_until("count", 50).status == "break"
    assert model.run_until(lambda: False).stop.changes[0].new == 2
    model.clock("clk").fall()
    wave = model.play({"en": [1, 1, 1]}, ["count"])
    assert (wave.run.status, wave.ints("count"), model.clock("clk").level) == ("break", [3], 0)
    model.clock("clk").start()
    run = model.advance(100)
    assert (run.status, run.stop.changes[0].new) == ("break", 4)


def test_a_break_while_a_waveform_is_written(model: Model, tmp_path: Path) -> None:
    made = model.break_on("count", 5)
    with model.record(tmp_path / "wave.vcd"):
        assert model.step(20).cycles == 4
        assert model.step(16)
    assert made.hits == 1
    assert model["count"].value == 20


def test_a_break_on_names_that_are_none(model: Model) -> None:
    with pytest.raises(rtlwasm.UnknownNameError):
        model.break_on("cuont")
    with pytest.raises(rtlwasm.ShapeError):
        model.break_on("ram")
    with pytest.raises(rtlwasm.ValueRangeError):
        model.break_on("count", 256)
    assert model.breaks == []


def test_wide_signals(model: Model) -> None:
    model["shifter"].value = 1 << 63
    model.eval()
    model.break_on("shifter")
    change = model.step(10).stop.changes[0]
    assert (change.old, change.new) == (1 << 63, 1 << 64)


def test_wasm_stops_at_what_it_stores(counter_artifact: Artifact) -> None:
    with pytest.raises(rtlwasm.OptionError, match='`next` is a constant or computed.*engine="interp"'):
        counter_artifact.model().break_on("next")
    with pytest.raises(rtlwasm.OptionError, match='known to engine="interp"'):
        counter_artifact.model().break_at("counter.v:9")
    model = counter_artifact.model(engine="interp")
    model["en"].value = 1
    model.break_on("next", 3)
    assert model.step(10).stop.cycle == 2


def test_watches_beside_breaks(model: Model) -> None:
    model.break_on("count", 10)
    with model.watch("count", 5, stop="after"):
        assert model.step(100).status == "watch"
        assert (model["count"].value, model.step(100).status, model["count"].value) == (5, "break", 10)
    if model.engine != "wasm":
        with pytest.raises(rtlwasm.OptionError, match='stop="after"'):
            model.watch("count", 5)


def test_a_fork_has_no_breaks(model: Model) -> None:
    model.break_on("count")
    assert model.fork().step(10)


@verilog
def test_a_line_stops_when_its_arm_is_taken(walk: Model) -> None:
    line = line_of("2'd1: acc")
    made = walk.break_at(f"walk.v:{line}")
    walk["op"].value = 2
    assert walk.step(5)
    walk["op"].value = 1
    run = walk.step(5)
    assert (run.status, run.cycles, walk["acc"].value, made.hits) == ("break", 0, 5, 1)
    place = run.stop.places[0]
    assert (place.line, place.instance) == (line, "")
    assert place.file.endswith("walk.v")
    walk["rst"].value = 1
    walk.clock("clk").fall()
    assert walk.step(5)


@verilog
@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        ("acc <= 8'd0", [1]),
        ("case (op)", [2, 3, 4, 5]),
        ("2'd1: acc", [2]),
        ("kept[acc", [3]),
        ("2'd3: begin", [4]),
        ("acc <= kept", [4]),
        ("display", [4]),
        ("endcase", [2, 3, 4, 5]),
        ("if (go) begin", [4]),
        ("at <= at + 4'd1", [4]),
        ("at <= 4'd0", []),
    ],
)
def test_the_cycles_in_which_runs_go_through_a_line(walk: Model, text: str, cycles: list[int]) -> None:
    walk.break_at(f"walk.v:{line_of(text)}")
    found = []
    for cycle, (rst, op) in enumerate([(1, 0), (0, 1), (0, 2), (0, 3), (0, 0)], 1):
        walk["rst"].value, walk["op"].value = rst, op
        if not walk.step():
            found.append(cycle)
            walk.step()
    assert found == cycles


@verilog
def test_lines_of_a_block_and_of_a_memory_write(walk: Model) -> None:
    walk["op"].value = 2
    write = walk.break_at(f"walk.v:{line_of('kept[acc')}")
    assert walk.step(5).status == "break"
    write.remove()
    inside = walk.break_at(f"walk.v:{line_of('acc <= kept')}")
    assert walk.step(5)
    walk["op"].value = 3
    assert walk.step(5).status == "break"
    assert [event.text for event in walk.events()] == ["three\n"]
    inside.remove()
    walk.break_at(f"walk.v:{line_of('display')}")
    assert walk.step(5).status == "break"


@verilog
def test_a_line_of_an_instance_names_it(walk: Model) -> None:
    walk.break_at(f"walk.v:{line_of('at <= 4')}")
    walk["op"].value = 3
    run = walk.step(50)
    place = run.stop.places[0]
    assert (run.stop.cycle, place.instance, walk["at"].value) == (10, "step", 0)
    assert place.values == {"step.at": (9, 0)}
    assert f"walk.v:{place.line} in step\n" in str(run.stop)


@verilog
def test_a_stop_shows_the_line_and_its_signals(walk: Model) -> None:
    walk["op"].value = 1
    walk.break_at(f"walk.v:{line_of(chr(39) + 'd1: acc')}")
    walk.break_on("acc", 5)
    stop = walk.step(5).stop
    declared, line = line_of("module walk") + 1, line_of("2'd1: acc")
    file = stop.places[0].file
    assert str(stop).splitlines() == [
        "stopped in cycle 1 at time 1",
        "acc: 0x0 -> 0x5",
        f"{file}:{declared}",
        f"{declared:5} | " + WALK.splitlines()[declared - 1],
        "      | " + " " * (WALK.splitlines()[declared - 1].index("acc")) + "^",
        f"{file}:{line}",
        f"{line:5} |                 2'd1: acc <= acc + 8'd5;",
        "      |                       ^",
        "  acc = 0x0 -> 0x5",
    ]
    assert stop.places[0].values == {"acc": (0, 5)}
    assert stop.changes[0].source.startswith(f"{file}:{declared}.")


@verilog
def test_operations_outside_of_branches(walk: Model) -> None:
    """The parity is an output that nothing clocked uses, so no edge goes through it; its value can be watched."""
    walk.break_at(f"walk.v:{line_of('assign odd')}")
    walk.break_at(f"walk.v:{line_of('step step (')}")
    walk["op"].value = 1
    run = walk.step(5)
    assert [place.line for place in run.stop.places] == [line_of("step step (")]
    walk.breaks[1].remove()
    walk.break_on("odd", 1)
    assert walk.step(9).stop.changes[0].name == "odd"


@verilog
def test_lines_that_cannot_be_stopped_at(walk: Model) -> None:
    with pytest.raises(rtlwasm.OptionError, match=r"nothing of line 1 of `walk.v`.*near it are 4, "):
        walk.break_at("walk.v:1")
    with pytest.raises(rtlwasm.OptionError, match=r"no file of the design is `run.v`: it has .*walk\.v"):
        walk.break_at("run.v:3")
    with pytest.raises(rtlwasm.OptionError, match="as `cpu.v:37`"):
        walk.break_at("walk.v")


@verilog
def test_lines_in_lockstep(walk_artifact: Artifact) -> None:
    model = walk_artifact.model(engine="both")
    model["op"].value = 3
    model.break_at(f"walk.v:{line_of('at <= 4')}")
    cycles = [model.step(100).stop.cycle for _ in range(3)]
    assert cycles == [10, 20, 30]


def test_lines_of_amaranth_are_lines_of_python() -> None:
    hdl = pytest.importorskip("amaranth.hdl")
    m = hdl.Module()
    go = hdl.Signal()
    count = hdl.Signal(8)
    with m.If(go):
        m.d.sync += count.eq(count + 3)  # here
    text = Path(__file__).read_text().splitlines()
    line = next(i for i, text in enumerate(text, 1) if text.endswith("  # here"))
    model = rtlwasm.compile(m, ports=[go, count]).model(engine="interp")
    try:
        model.break_at(f"test_debug.py:{line}")
    except rtlwasm.OptionError:
        model.break_at(f"test_debug.py:{line - 1}")
    assert model.step(3)
    model["go"].value = 1
    assert model.step(3).status == "break"
    assert model["count"].value == 3


def test_the_debugger_comes_with_the_stop_at_hand(tmp_path: Path) -> None:
    script = tmp_path / "look.py"
    script.write_text(
        f"""
import sys, rtlwasm
def hook():
    frame = sys._getframe(1)
    print("hook", frame.f_locals["stop"].cycle, frame.f_locals["model"]["count"].value)
sys.breakpointhook = hook
for debugger in (True, None, False):
    model = rtlwasm.compile({str(DESIGNS / "counter.il")!r}, top="counter").model(engine="interp", debugger=debugger)
    model["en"].value = 1
    model.break_on("count", 4)
    print(model.step(10).status)
"""
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "stopped in cycle 4 at time 7"
    assert [line for line in lines if line in {"break"} or line.startswith("hook")] == ["hook 4 4", "break"] + [
        "break"
    ] * 2


def test_under_pdb_it_comes_by_itself(tmp_path: Path) -> None:
    script = tmp_path / "look.py"
    script.write_text(
        f"""
import rtlwasm
model = rtlwasm.compile({str(DESIGNS / "counter.il")!r}, top="counter").model(engine="interp")
model["en"].value = 1
model.break_on("count", 4)
model.step(10)
"""
    )
    commands = "continue\np stop.cycle, model['count'].value\nq\n"
    command = [sys.executable, "-m", "pdb", str(script)]
    done = subprocess.run(command, input=commands, capture_output=True, text=True, timeout=120)
    assert "(4, 4)" in done.stdout
