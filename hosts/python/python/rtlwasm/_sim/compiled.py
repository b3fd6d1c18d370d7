"""Compiled designs, kept by their text: a test suite simulates the same design again and again."""

from __future__ import annotations

import os
from collections import OrderedDict

from .. import _native

KEPT = 64
"""Designs of a process that are kept; the least recently used go first."""

_kept: OrderedDict[tuple[str, bool], _native.Artifact] = OrderedDict()


def compiled(text: str, trace: bool = False) -> _native.Artifact:
    """The artifact of a design; with `trace` it can tell what changes."""
    artifact = _kept.pop((text, trace), None)
    if artifact is None:
        artifact = _native.compile_design(text, _build(), trace)
    _kept[text, trace] = artifact
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return artifact


def _build() -> str:
    """What tells this build of the package from others of its version."""
    found = os.stat(_native.__file__)
    return f"{found.st_size} {found.st_mtime_ns}"
