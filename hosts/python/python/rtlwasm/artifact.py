"""A compiled design: what `compile` returns and `load` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native
from .hierarchy import Tree

if TYPE_CHECKING:
    from .model import Model


class Artifact(_native.Artifact):
    """A compiled design, ready to make any number of models. They share its code and nothing else."""

    def model(
        self,
        *,
        engine: str = "wasm",
        seed: int = 0,
        plusargs: Sequence[str] = (),
        debugger: bool | None = None,
    ) -> Model:
        """Make a model, just powered on.

        engine: "wasm" runs the artifact; "interp" the reference interpreter, which is slow and does what the source
            says; "both" runs one beside the other, and raises `DivergenceError` when they differ.
        seed: of everything random in the design (`$random`, undefined bits with `undef="random"`), 64 bits.
        plusargs: NAME or NAME=VALUE, with or without the plus, for `$test$plusargs` and `$value$plusargs`.
        debugger: at a break, call what `breakpoint()` calls; by default when a debugger runs already.
        """
        from .model import Model

        model = Model(self, engine=engine, seed=seed, plusargs=plusargs)
        model.debugger = debugger
        return model

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the `.wasm` file, complete and self-contained, and return its path."""
        path = Path(path)
        path.write_bytes(self.wasm)
        return path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the artifact says of itself: clocks, resets, events, all signals with their places.

        The keys are those of the artifact ABI's section "Manifest"; `signals` has the ports first.
        """
        manifest: dict[str, Any] = json.loads(self.manifest_json())
        return manifest

    @cached_property
    def tree(self) -> Tree:
        """The names of all signals, by instance."""
        return Tree.of(self.paths())

    @property
    def ports(self) -> list[str]:
        """Names of the top module's ports, in the order of their declaration."""
        return [".".join(path) for path in self.paths()[: self.port_count()]]

    def __repr__(self) -> str:
        """Tell top module, size and number of signals."""
        return f"Artifact({self.top!r}, {len(self.wasm)} bytes, {len(self.paths())} signals)"
