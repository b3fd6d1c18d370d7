"""The examples run, and the documentation's Python does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_stock_wasmtime(counter_artifact, tmp_path: Path) -> None:
    pytest.importorskip("wasmtime")
    path = counter_artifact.save(tmp_path / "counter.wasm")
    command = [sys.executable, str(EXAMPLES / "stock_wasmtime.py"), str(path), "en", "count"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "100\n"


def test_the_example_is_ten_lines_behind_its_imports() -> None:
    text = (EXAMPLES / "stock_wasmtime.py").read_text()
    lines = [line for line in text.split('"""')[2].splitlines() if line and "import" not in line]
    assert len(lines) <= 10
