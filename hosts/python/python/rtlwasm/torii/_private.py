"""What the engine uses of Torii that is not public, all of it: the interface for engines, and names in waveforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torii.hdl.ir import Fragment
from torii.sim import Simulator
from torii.sim._base import BaseEngine

__all__ = ["DEADLINE", "BaseEngine"]

DEADLINE = "deadline"
"""The variable of `Simulator.run_until` that has its deadline."""


def names(fragment: Fragment) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Every signal of a design with its path, once for each fragment that uses it."""
    for each, path in fragment._assign_names_to_fragments(hierarchy=("bench", "top")).items():
        for signal, name in each._assign_names_to_signals().items():
            yield signal, (*path, name)


def check() -> None:
    """Look at all of this once."""
    list(names(Fragment()))
    if DEADLINE not in Simulator.run_until.__code__.co_varnames:
        raise AttributeError(f"Simulator.run_until has no variable {DEADLINE!r}")
