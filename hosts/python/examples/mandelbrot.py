"""Draws the Mandelbrot set with a core in Verilog: 140 x 50 characters, x from -2 to 1, y from -1 to 1, `*` inside.

Usage: python mandelbrot.py [ITERATIONS]. The core makes one iteration in a cycle and writes each character with
`$write`; after the last line it calls `$finish`, which ends the run.
"""

import sys
import time
from pathlib import Path

import rtlwasm

CORE = Path(__file__).parents[3] / "fixtures" / "designs" / "mandelbrot" / "mandelbrot.v"
COLUMNS, ROWS = 140, 50


def core(iterations: int) -> rtlwasm.Model:
    """The core, which takes a point for inside after so many iterations, ready to draw."""
    parameters = {"COLUMNS": COLUMNS, "ROWS": ROWS, "LIMIT": iterations, "FINISH": 1}
    model = rtlwasm.compile(CORE, top="mandelbrot", parameters=parameters).model()
    model.hold_reset("rst")
    return model


def draw(model: rtlwasm.Model, iterations: int) -> tuple[str, int]:
    """The picture, and how many cycles it took. Outside the core's characters are shades, here all are `-`."""
    run = model.step(COLUMNS * ROWS * (iterations + 1) + 2 * ROWS)
    shades = "".join(event.text for event in model.events())
    return "".join(shade if shade in "*\n" else "-" for shade in shades), run.cycles


def main() -> None:
    iterations = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    model = core(iterations)
    start = time.perf_counter()
    picture, cycles = draw(model, iterations)
    took = time.perf_counter() - start
    print(picture, end="")
    print(f"{cycles:,} cycles in {took:.3f} s: {cycles / took / 1e6:.1f} million a second", file=sys.stderr)


if __name__ == "__main__":
    main()
