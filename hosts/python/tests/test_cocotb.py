"""Testbenches of cocotb: what they see on an artifact is what they see on Icarus."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import rtlwasm
import rtlwasm.cocotb
from conftest import REPOSITORY, verilog

HERE = Path(__file__).parent
BENCH = HERE / "cocotb_bench"
GROUPS = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["dependency-groups"]

RUNNER = """
import sys
from pathlib import Path
name, module, source = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if name == "icarus":
    from cocotb_tools.runner import get_runner
    runner = get_runner("icarus")
else:
    from rtlwasm.cocotb import Runner
    runner = Runner()
scale = ("1ns", "1ps")
runner.build(sources=[source], hdl_toplevel=source.stem, build_dir=name, timescale=scale)
runner.test(test_module=module, hdl_toplevel=source.stem, build_dir=name, test_dir=name, timescale=scale, seed=1)
"""


@pytest.fixture(scope="session", params=["cocotb20", "cocotb21"])
def cocotb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that version of cocotb."""
    pinned = GROUPS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder]
    if subprocess.run([*install, *pinned], capture_output=True).returncode:
        pytest.skip(f"{pinned[0]} cannot be installed")
    return folder


def environment(cocotb: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(cocotb), str(BENCH)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COCOTB"))}
    return kept | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


def simulated(
    name: str, cocotb: Path, folder: Path, module: str = "bench", source: Path = BENCH / "dut.v", **more: str
) -> tuple[list[str], dict[str, str]]:
    """What the testbench has written, in an order that is the same for things at the same time, and its results."""
    log = folder / f"{name}.log"
    command = [sys.executable, "-c", RUNNER, name, module, source]
    settings = environment(cocotb, BENCH_LOG=str(log), **more)
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(log.read_text().splitlines()), results(folder / name / "results.xml")


def results(path: Path) -> dict[str, str]:
    cases = ElementTree.parse(path).getroot().iter("testcase")
    bad = {"failure", "error", "skipped"}
    return {case.attrib["name"]: next((child.tag for child in case if child.tag in bad), "passed") for case in cases}


@verilog
def test_the_same_as_on_icarus(cocotb: Path, tmp_path: Path) -> None:
    if not shutil.which("iverilog"):
        pytest.skip("there is no Icarus to compare with")
    theirs, theirs_results = simulated("icarus", cocotb, tmp_path)
    ours, ours_results = simulated("artifact", cocotb, tmp_path)
    assert ours == theirs
    assert len(ours) > 120
    assert ours_results == theirs_results
    assert list(ours_results.values()).count("failure") + list(ours_results.values()).count("error") == 4


@verilog
@pytest.mark.filterwarnings("ignore::rtlwasm.CompileWarning")
@pytest.mark.parametrize("cocotb", ["cocotb21"], indirect=True)
@pytest.mark.parametrize("name", ["divided", "gated", "muxed", "ripple", "two_clocks"])
def test_edges_of_clocks_of_every_kind(cocotb: Path, tmp_path: Path, name: str) -> None:
    if not shutil.which("iverilog"):
        pytest.skip("there is no Icarus to compare with")
    source = REPOSITORY / "fixtures" / "clock" / f"{name}.v"
    model = rtlwasm.compile(source).model()
    clocks = [clock.name for clock in model.clocks if clock.name in model and not clock.derived]
    kinds = {"inputs": "input", "outputs": "output"}
    ports = {key: [port.name for port in model.ports if port.kind == kind] for key, kind in kinds.items()}
    ports["inputs"] = [port for port in ports["inputs"] if port not in clocks]
    settings = {"BENCH_PORTS": json.dumps({**ports, "clocks": clocks})}
    theirs, _ = simulated("icarus", cocotb, tmp_path, "edges", source, **settings)
    ours, _ = simulated("artifact", cocotb, tmp_path, "edges", source, **settings)
    assert len(theirs) > 200
    # What is undefined in a simulator has some value here.
    assert set(ours) >= {line for line in theirs if "X" not in line}
    assert len(ours) == len(theirs)


@verilog
def test_with_writes_that_are_trusted(cocotb: Path, tmp_path: Path) -> None:
    """No race of writes with edges: but for what the read-write phase sees, all is as it is without trust."""
    careful, careful_results = simulated("artifact", cocotb, tmp_path)
    ours, ours_results = simulated("artifact", cocotb, tmp_path, COCOTB_TRUST_INERTIAL_WRITES="1")
    assert [line for line in ours if "read-write" not in line] == [line for line in careful if "read-write" not in line]
    assert ours_results == careful_results


@verilog
def test_the_command(cocotb: Path, tmp_path: Path) -> None:
    artifact = rtlwasm.compile(BENCH / "dut.v", top="dut").save(tmp_path / "dut.wasm")

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rtlwasm.cocotb", str(artifact), *arguments]
        settings = environment(cocotb, BENCH_LOG="log", **more)
        return subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True)

    done = run("--module", "bench", "--filter", "registers|hierarchy", "--results", "r.xml", "--wave", "w.vcd")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(results(tmp_path / "r.xml")) >= {"registers", "hierarchy"}
    assert "$enddefinitions" in (tmp_path / "w.vcd").read_text()
    assert run("--module", "bench", "--filter", "fails").returncode == 1
    assert run("--filter", "fails", "--ignore-failures", COCOTB_TEST_MODULES="bench").returncode == 0
    assert "which tests?" in run().stderr
    assert "is no precision" in run("--module", "bench", "--precision", "2ns").stderr
    (tmp_path / "text.wasm").write_text("no artifact")
    for wrong, told in (("text.wasm", "not a WebAssembly module"), ("none.wasm", "No such file")):
        command = [sys.executable, "-m", "rtlwasm.cocotb", wrong, "-m", "bench"]
        done = subprocess.run(command, cwd=tmp_path, env=environment(cocotb), capture_output=True, text=True)
        assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    coarse = run("--module", "bench", "--filter", "registers", "--precision", "1ns")
    assert coarse.returncode == 0, coarse.stdout + coarse.stderr


LIMITS = """
import cocotb
from cocotb.clock import Clock
from cocotb.handle import Force
from cocotb.triggers import ReadOnly, RisingEdge, Timer, ValueChange
from cocotb.utils import get_sim_time


@cocotb.test()
async def undefined(dut):
    dut.d.value = "1x1z1x1z"
    await ReadOnly()
    assert dut.d.value == "10101010"


@cocotb.test()
async def driven(dut):
    dut.twice.value = 1
    await Timer(1, "ns")


@cocotb.test()
async def forced(dut):
    dut.row.value = Force(3)


@cocotb.test()
async def long(dut):
    dut.rst.value = 1
    Clock(dut.clk, 10, "ns", impl="gpi").start()
    await Timer(20, "ns")
    dut.rst.value = 0
    start = get_sim_time("step")
    for i in range(1, 300):
        await ValueChange(dut.slow)
        assert (int(dut.slow.value), get_sim_time("step")) == (i % 256, start + 20_000 * i - 10_000)
    await Timer(10_000_001, "ns")
    assert int(dut.slow.value) == (299 + 500_000) % 256


@cocotb.test()
async def nothing_happens(dut):
    await RisingEdge(dut.clk)
"""


@verilog
def test_what_an_artifact_cannot_do_is_told(cocotb: Path, tmp_path: Path) -> None:
    artifact = rtlwasm.compile(BENCH / "dut.v", top="dut").save(tmp_path / "dut.wasm")
    (tmp_path / "limits.py").write_text(LIMITS)
    command = [sys.executable, "-m", "rtlwasm.cocotb", str(artifact), "-m", "limits"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(cocotb), capture_output=True, text=True)
    assert done.returncode == 1
    assert "undefined bits become 0" in done.stdout
    assert "NotWritableError: `twice` cannot be written" in done.stdout
    assert "only inputs be held" in done.stdout
    assert "does a clock run?" in done.stdout
    found = results(tmp_path / "results.xml")
    assert [found[name] for name in ("undefined", "long")] == ["passed", "passed"]


@pytest.mark.parametrize("version", ["1.9.2", "2.2.0", "3.0"])
def test_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    with pytest.raises(ImportError, match=r"for cocotb 2\.0 and 2\.1, and " + version):
        rtlwasm.cocotb.run("dut.wasm")
