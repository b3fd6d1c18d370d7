"""Draws the Mandelbrot set in one of several ways, none of which needs rtlwasm.

Usage: python ways.py plain|wasmtime|wasmer COLUMNS ROWS ITERATIONS. Prints the picture and, last, seconds of processor
time: until all was ready, and for the picture. For any Python from 3.8 on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

Draw = Callable[[int, int, int], str]
MODULE = Path(__file__).with_name("module.wat")


def is_outside(cx: float, cy: float, limit: int) -> bool:
    x, y = cx, cy
    for _ in range(1, limit):
        xx, yy = x * x, y * y
        if xx + yy >= 4.0:
            return True
        x, y = xx - yy + cx, 2.0 * x * y + cy
    return False


def plain() -> Draw:
    """Python alone."""

    def draw(columns: int, rows: int, limit: int) -> str:
        lines = []
        for row in range(rows):
            y = -1.0 + row * (2.0 / rows)
            points = (is_outside(-2.0 + column * (3.0 / columns), y, limit) for column in range(columns))
            lines.append("".join("-" if outside else "*" for outside in points) + "\n")
        return "".join(lines)

    return draw


def with_wasmtime() -> Draw:
    """A module that computes the picture, in wasmtime."""
    from wasmtime import Instance, Module, Store

    store = Store()
    exports = Instance(store, Module(store.engine, MODULE.read_text()), []).exports(store)

    def draw(columns: int, rows: int, limit: int) -> str:
        start = exports["mandel"](store, columns, rows, limit)
        return bytes(exports["memory"].read(store, start, start + (columns + 1) * rows)).decode()

    return draw


def with_wasmer() -> Draw:
    """The same module in wasmer."""
    from wasmer import Instance, Module, Store, engine, wat2wasm
    from wasmer_compiler_cranelift import Compiler

    instance = Instance(Module(Store(engine.JIT(Compiler)), wat2wasm(MODULE.read_text())))

    def draw(columns: int, rows: int, limit: int) -> str:
        start = instance.exports.mandel(columns, rows, limit)
        view = instance.exports.memory.uint8_view(start)
        return bytes(view[0 : (columns + 1) * rows]).decode()

    return draw


WAYS = {"plain": plain, "wasmtime": with_wasmtime, "wasmer": with_wasmer}


def main() -> None:
    way, columns, rows, limit = sys.argv[1], *map(int, sys.argv[2:])
    start = time.process_time()
    draw = WAYS[way]()
    ready = time.process_time()
    picture = draw(columns, rows, limit)
    print(f"{picture}{ready - start} {time.process_time() - ready}")


if __name__ == "__main__":
    main()
