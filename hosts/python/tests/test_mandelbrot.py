"""The picture that the Mandelbrot core draws is the one that is computed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import verilog
from old_wasmer import NotThereError, python_with_wasmer

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
# From so many iterations on, the core's 28 bits of fraction and both kinds of floating point agree in every point.
ITERATIONS = 20_000


@pytest.fixture(scope="session")
def old_wasmer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return python_with_wasmer(tmp_path_factory.mktemp("wasmer"))
    except NotThereError as why:
        pytest.skip(f"{why}: nothing runs in wasmer")


@verilog
def test_the_core_draws_what_a_module_computes() -> None:
    pytest.importorskip("wasmtime")
    command = [sys.executable, str(EXAMPLES / "mandelbrot.py"), str(ITERATIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert (len(lines), {len(line) for line in lines}) == (50, {140})
    assert "million a second" in done.stderr
    command = [sys.executable, str(HERE / "mandelbrot" / "ways.py"), "wasmtime", "140", "50", str(ITERATIONS)]
    computed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert computed.startswith(done.stdout)


def test_every_way_draws_the_same(old_wasmer: Path) -> None:
    lines = ["--------*---", "------****--", "-*********--", "------****--", ""]
    for python, name in ((sys.executable, "plain"), (sys.executable, "wasmtime"), (old_wasmer, "wasmer")):
        command = [python, HERE / "mandelbrot" / "ways.py", name, "12", "4", "50"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert text.startswith("\n".join(lines)), name


def test_stock_wasmer_runs_an_artifact(old_wasmer: Path, counter_artifact, tmp_path: Path) -> None:
    path = counter_artifact.save(tmp_path / "counter.wasm")
    command = [str(old_wasmer), str(EXAMPLES / "stock_wasmer.py"), str(path), "en", "count"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "100\n"
