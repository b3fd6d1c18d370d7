"""Measures how long Python takes to have the Mandelbrot set drawn; nothing passes or fails.

`cargo xtask bench python-mandelbrot` runs this with the page that has the table, and a folder for an old Python with
`wasmer`. Seconds of processor time, the least of some turns; every picture must be the same.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE.parent), str(HERE.parents[1] / "examples")]

import mandelbrot  # noqa: E402
from old_wasmer import NotThereError, python_with_wasmer  # noqa: E402

ITERATIONS, TURNS = 100_000, 3


class Figures:
    """One way's row."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.picture = ""
        self.ready = self.drawn = float("inf")

    def note(self, picture: str, ready: float, drawn: float) -> None:
        self.picture = picture
        self.ready = min(self.ready, ready)
        self.drawn = min(self.drawn, drawn)

    def row(self) -> str:
        ready = f"{self.ready:.3f}" if self.ready > 0.0005 else "-"
        return f"| {self.way} | {ready} | {self.drawn:.2f} |"


def elsewhere(way: str, python: str | Path, name: str, turns: int = TURNS) -> Figures:
    """What another process, perhaps of another Python, takes."""
    figures = Figures(way)
    size = [str(number) for number in (mandelbrot.COLUMNS, mandelbrot.ROWS, ITERATIONS)]
    for _ in range(turns):
        command = [python, HERE / "ways.py", name, *size]
        text = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
        picture, _, times = text.rpartition("\n")[0].rpartition("\n")
        ready, drawn = map(float, times.split())
        figures.note(picture + "\n", ready, drawn)
    return figures


def core() -> Figures:
    """The core, compiled and simulated."""
    figures = Figures("the core in Verilog, in rtlwasm")
    cycles = 0
    for _ in range(TURNS):
        start = time.process_time()
        model = mandelbrot.core(ITERATIONS)
        ready = time.process_time()
        picture, cycles = mandelbrot.draw(model, ITERATIONS)
        figures.note(picture, ready - start, time.process_time() - ready)
    figures.way += f" ({cycles / 1e6:.1f} million cycles)"
    return figures


def measure(folder: Path) -> list[Figures]:
    """All ways that there are here."""
    rows = [elsewhere(f"Python {platform.python_version()}", sys.executable, "plain", turns=1)]
    if pypy := shutil.which("pypy3"):
        told = subprocess.run(
            [pypy, "-c", "import sys; print(sys.version)"], capture_output=True, check=True, text=True
        )
        number = re.search(r"PyPy ([\d.]+)", told.stdout)
        rows.append(elsewhere(f"PyPy {number[1] if number else ''}", pypy, "plain"))
    else:
        print("there is no PyPy (pypy3): not measured", file=sys.stderr)
    rows.append(elsewhere(f"a module that computes it, in wasmtime {version('wasmtime')}", sys.executable, "wasmtime"))
    try:
        rows.append(elsewhere("the same in wasmer 1.1.0, Python 3.10", python_with_wasmer(folder), "wasmer"))
    except NotThereError as why:
        print(f"{why}: wasmer not measured", file=sys.stderr)
    return [*rows, core()]


def main() -> None:
    page, folder = map(Path, sys.argv[1:])
    rows = measure(folder)
    for other in rows[:-1]:
        if other.picture != rows[-1].picture:
            print(f"{other.way} draws another picture", file=sys.stderr)
    head = "| Who computes | until ready | the picture |\n|---|---|---|\n"
    table = head + "".join(row.row() + "\n" for row in rows)
    print(table, end="")
    text = page.read_text()
    written = re.sub(r"(?<=<!-- mandelbrot -->\n).*?(?=<!-- end -->)", lambda _: table, text, flags=re.DOTALL)
    page.write_text(written)


if __name__ == "__main__":
    main()
