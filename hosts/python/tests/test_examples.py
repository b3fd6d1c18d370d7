"""The examples run, and the documentation's Python does what it says."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, verilog

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


@verilog
def test_many_models_on_several_threads() -> None:
    command = [sys.executable, str(EXAMPLES / "collatz.py"), "2000", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "1161 takes 181 steps\n"


@verilog
def test_the_page_on_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("amaranth")
    text = (REPOSITORY / "docs" / "python.md").read_text()
    for name, source in re.findall(r"^`([\w.]+)`[^\n]*:\n\n```verilog\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(text, {}, "python.md", "docs/python.md", 0)
    assert len(test.examples) > 50
    failures: list[str] = []
    doctest.DocTestRunner().run(test, out=failures.append)
    assert not failures, "".join(failures)
