"""Waveforms as SVG: rows of values in, text out. Nothing is coloured, so that they are read on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

ROW, HIGH = 26, 16
"""Height of a row and of a signal in it, in pixels."""
BIT, BUS = 18, 34
"""Width of a cycle: when all signals are single bits, and when some are not."""


def picture(rows: Sequence[tuple[str, int, Sequence[int]]], first: int) -> str:
    """Signals as (name, width in bits, values), one below the other; `first` is the number of the first cycle."""
    cycles = max((len(values) for _, _, values in rows), default=0)
    step = BIT if all(width <= 1 for _, width, _ in rows) else BUS
    left = 12 + 7 * max((len(name) for name, _, _ in rows), default=0)
    width, height = left + step * cycles + 8, ROW * (len(rows) + 1)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="monospace" font-size="11" fill="none" stroke="currentColor">'
    ]
    every = 2 if step == BIT else 1
    for cycle in range(0, cycles, every):
        out.append(_text(left + step * cycle + 2, 14, str(first + cycle), "start"))
    for index, (name, bits, values) in enumerate(rows):
        top = ROW * (index + 1) + 4
        out.append(_text(left - 6, top + 12, name, "end"))
        out += _bit(values, left, top, step) if bits <= 1 else _bus(values, left, top, step)
    return "\n".join([*out, "</svg>"])


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" stroke="none" fill="currentColor">{escape(text)}</text>'


def _bit(values: Sequence[int], left: int, top: int, step: int) -> list[str]:
    points = []
    for cycle, value in enumerate(values):
        y = top + (0 if value else HIGH)
        points += [f"{left + step * cycle},{y}", f"{left + step * (cycle + 1)},{y}"]
    return [f'<polyline points="{" ".join(points)}"/>'] if points else []


def _bus(values: Sequence[int], left: int, top: int, step: int) -> list[str]:
    out, start = [], 0
    for cycle in range(1, len(values) + 1):
        if cycle < len(values) and values[cycle] == values[start]:
            continue
        x, end, middle, bottom = left + step * start, left + step * cycle, top + HIGH // 2, top + HIGH
        out.append(f'<path d="M{x} {middle}L{x + 3} {top}H{end - 3}L{end} {middle}L{end - 3} {bottom}H{x + 3}Z"/>')
        text, room = f"{values[start]:x}", (end - x - 6) // 7
        shown = text if len(text) <= room else text[: max(0, room - 1)] + "…"
        out.append(_text((x + end) / 2, top + 12, shown, "middle"))
        start = cycle
    return out
