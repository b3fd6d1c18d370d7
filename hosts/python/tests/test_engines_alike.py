"""One interface, three implementations: the artifact, the reference interpreter, both in lockstep."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
import rtlwasm
from conftest import DESIGNS, verilog
from rtlwasm import Artifact, Model
from test_fixtures import artifact_of, sources_of

ENGINES = ("wasm", "interp", "both")
COUNTER = (DESIGNS / "counter.il").read_text()


@pytest.fixture(params=ENGINES)
def model(counter_artifact: Artifact, request: pytest.FixtureRequest) -> Model:
    return counter_artifact.model(engine=request.param)


def test_a_model_tells_its_engine(model: Model) -> None:
    assert model.engine in ENGINES
    assert model.fork().engine == model.engine
    with pytest.raises(rtlwasm.OptionError, match="wasm, interp, both, and not `fpga`"):
        model.artifact.model(engine="fpga")


def test_values_and_runs(model: Model) -> None:
    model["en"].value = 1
    assert model.step(10).cycles == 10
    assert (model["count"].value, model.time) == (10, 20)
    assert model.run_until("count", 50).cycles == 40
    with pytest.raises(rtlwasm.ConditionNotMetError):
        model.run_until("count", 3, max_cycles=10)
    model["shifter"].value = 1 << 99
    model["ram"][3] = 0xBEEF
    model["addr"].value = 3
    model.eval()
    assert (model["wide"].value, model["word"].value) == (1 << 99, 0xBEEF)
    with pytest.raises(rtlwasm.NotWritableError):
        model["count"].value = 3
    assert model.reset()
    assert (model["count"].value, model.time, list(model["ram"])) == (0, 0, [0] * 16)


def test_events_and_failures(counter_artifact: Artifact) -> None:
    told = []
    for engine in ENGINES:
        model = counter_artifact.model(engine=engine)
        model["en"].value = 1
        found: list[object] = []
        while not found or found[-1] != "finish":
            try:
                found.append(model.step(300).status)
            except rtlwasm.AssertionFailed as failed:
                found.append(str(failed))
            if len(found) > 6:
                break
        told.append((found, [(e.kind, e.text, e.time, e.source, e.args) for e in model.events()], model.covers()))
    assert told[0] == told[1] == told[2]
    assert told[0][1]


def test_tables_waveforms_views(model: Model, tmp_path: Path) -> None:
    wave = model.play({"en": [1, 1, 0, 1], "rst": 0}, ["count"])
    assert wave.ints("count") == [1, 2, 2, 3]
    with model.record(tmp_path / "wave.vcd"):
        model.step(3)
    assert "$var" in (tmp_path / "wave.vcd").read_text()
    ram = model["ram"].array(writable=True)
    ram[5] = 7
    model["addr"].value = 5
    model.eval()
    assert (model["word"].value, int(model["count"].array()[0])) == (7, 6)


def test_snapshots_and_forks(model: Model) -> None:
    model["en"].value = 1
    model.step(5)
    model["ram"][2] = 9
    saved = model.snapshot()
    twin = model.fork()
    model.step(5)
    model["ram"][2] = 1
    model.restore(saved)
    for one in (model, twin):
        one.step(2)
        assert (one["count"].value, one["ram"][2], one.time) == (7, 9, 14)
    other = "wasm" if model.engine != "wasm" else "interp"
    with pytest.raises(rtlwasm.ForeignError, match="design, build or engine"):
        model.artifact.model(engine=other).restore(saved)


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_what_only_artifacts_do_is_refused_by_name(counter_artifact: Artifact, engine: str) -> None:
    model = counter_artifact.model(engine=engine)
    with pytest.raises(rtlwasm.OptionError, match=f"engine `{engine}` has no staged writes: poke, .*engine `wasm`"):
        model.stage("en", 1)
    with pytest.raises(rtlwasm.OptionError, match=f"engine `{engine}` has no values from before an edge: read them"):
        model.peek_before("count")
    with pytest.raises(rtlwasm.OptionError, match=f"engine `{engine}` has no change trace: compare"), model.changes():
        pass
    for stop in ("at", "keep"):
        with pytest.raises(rtlwasm.OptionError, match=f'engine="{engine}" stops once everything is complete'):
            model.watch("clk", stop=stop)
    assert (model.step(2).cycles, model["count"].value, model.edge_pending) == (2, 0, False)


@pytest.mark.parametrize("engine", ENGINES)
def test_clocks_that_run(engine: str) -> None:
    model = rtlwasm.compile(DESIGNS / "two_clocks.il").model(engine=engine)
    red, blue = model.clock("red"), model.clock("blue")
    red.period, blue.period = (2, 3), (5, 5)
    red.start()
    blue.start(delay=1)
    model.advance(100)
    assert (red.cycles, blue.cycles, model.time) == (21, 10, 100)
    red.stop()
    model.advance_to(130)
    blue.rise()
    assert (model["reds"].value, model["blues"].value, blue.cycles, blue.level) == (21, 14, 14, 1)


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_an_artifact_alone_has_no_source(counter_artifact: Artifact, tmp_path: Path, engine: str) -> None:
    path = counter_artifact.save(tmp_path / "counter.wasm")
    with pytest.raises(rtlwasm.OptionError, match=r"a \.wasm file holds none.*source=\.\.\."):
        rtlwasm.load(path, engine=engine)
    for source in (counter_artifact, DESIGNS / "counter.il"):
        model = rtlwasm.load(path, engine=engine, source=source)
        model["en"].value = 1
        model.step(7)
        assert model["count"].value == 7


def test_another_source_is_found_out_at_power_on(tmp_path: Path) -> None:
    other = COUNTER.replace("connect \\A \\count\n    connect \\B 1\n", "connect \\A \\count\n    connect \\B 3\n")
    assert other != COUNTER
    path = rtlwasm.compile(other, top="counter").save(tmp_path / "counter.wasm")
    with pytest.raises(rtlwasm.DivergenceError) as caught:
        rtlwasm.load(path, engine="both", source=DESIGNS / "counter.il")
    assert (caught.value.signal, caught.value.reference, caught.value.compiled) == ("next", 1, 3)


@verilog
def test_another_source_is_found_out_in_its_cycle(tmp_path: Path) -> None:
    from test_debug import WALK

    right, wrong = tmp_path / "walk.v", tmp_path / "wrong.v"
    right.write_text(WALK)
    wrong.write_text(WALK.replace("acc + 8'd5", "acc + 8'd6"))
    path = rtlwasm.compile(wrong, top="walk").save(tmp_path / "walk.wasm")
    model = rtlwasm.load(path, engine="both", source=rtlwasm.compile(right, top="walk"))
    model.step(5)
    model["op"].value = 1
    with pytest.raises(rtlwasm.DivergenceError) as caught:
        model.step(100)
    error = caught.value
    line = next(i for i, text in enumerate(WALK.splitlines(), 1) if "output reg [7:0] acc" in text)
    assert (error.signal, error.reference, error.compiled, error.cycle) == ("acc", 5, 6, 6)
    assert error.source is not None
    assert error.source.startswith(f"{right}:{line}.")
    assert set(error.signals) == {"acc"}
    assert f"in cycle 6 at time {error.time}: `acc` is 0x06 in the artifact and 0x05" in str(error)
    assert isinstance(error, AssertionError)


def test_ports_must_be_the_same(tmp_path: Path) -> None:
    path = rtlwasm.compile(DESIGNS / "two_clocks.il").save(tmp_path / "other.wasm")
    with pytest.raises(rtlwasm.ForeignError, match="no port `clk`"):
        rtlwasm.load(path, engine="both", source=rtlwasm.compile(COUNTER, top="counter"))


@pytest.mark.parametrize("options", [{"strip": "ports"}, {"opt_level": 3}, {"opt_level": 0}, {"poke": "ports"}])
def test_however_it_was_compiled(options: dict) -> None:
    model = rtlwasm.compile(COUNTER, top="counter", **options).model(engine="both")
    model["en"].value = 1
    model.step(20)
    assert model["count"].value == 20


@pytest.mark.parametrize("undef", ["zero", "ones", "random"])
def test_undefined_values_come_from_the_seed(undef: str) -> None:
    """In both engines the same, and others for other seeds."""
    text = COUNTER.replace("attribute \\init 8'00000000\n", "")
    artifact = rtlwasm.compile(text, top="counter", undef=undef)
    found = {}
    for seed in (1, 2):
        rows = [list(artifact.model(engine=engine, seed=seed)["ram"]) for engine in ENGINES]
        assert rows[0] == rows[1] == rows[2]
        model = artifact.model(engine="both", seed=7)
        model.reset(seed)
        assert list(model["ram"]) == rows[0]
        model.step(1)
        model.reset()
        assert list(model["ram"]) == rows[0]
        found[seed] = rows[0]
    assert (found[1] != found[2]) == (undef == "random")


@verilog
@pytest.mark.filterwarnings("ignore::rtlwasm.CompileWarning")
@pytest.mark.parametrize(
    "source",
    [s for s in sources_of("clock", "comb", "event", "mem", "seq", "wide") if "//@ option: -D" not in s.read_text()],
    ids=lambda source: f"{source.parent.name}/{source.name}",
)
def test_designs_in_lockstep(source: Path) -> None:
    """Random inputs, single edges, pokes of state, snapshots: both engines show the same all along."""
    model, rng = artifact_of(source).model(engine="both", seed=3), random.Random(source.name)
    clocks = [clock for clock in model.clocks if not clock.derived]
    names = {clock.name for clock in clocks}
    inputs = [port for port in model.ports if port.kind == "input" and port.width and port.name not in names]
    state = [s for s in model if s.kind in {"register", "latch"} and s.writable and s.width]
    saved = model.snapshot()
    for cycle in range(30):
        for port in inputs:
            port.value = rng.getrandbits(port.width)
        if state and rng.random() < 0.2:
            chosen = rng.choice(state)
            chosen.value = rng.getrandbits(chosen.width)
        calls = [model.eval]
        for clock in clocks:
            calls += [clock.rise, clock.fall, lambda clock=clock: model.step(2, clock=clock)]
        with contextlib.suppress(rtlwasm.AssertionFailed, rtlwasm.NotSettledError):
            rng.choice(calls)()
        if cycle % 10 == 9:
            model.restore(saved)
            saved = model.snapshot()
