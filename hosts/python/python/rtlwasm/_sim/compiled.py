"""Compiled designs, kept by their text: a test suite simulates the same design again and again."""

from __future__ import annotations

import os
from collections import OrderedDict

from .. import _native

KEPT = 64
"""Designs of a process that are kept; the least recently used go first."""

_kept: OrderedDict[str, _native.Artifact] = OrderedDict()


def compiled(text: str) -> _native.Artifact:
    """The artifact of a design."""
    artifact = _kept.pop(text, None)
    if artifact is None:
        artifact = _native.compile_design(text, _build())
    _kept[text] = artifact
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return artifact


def _build() -> str:
    """What tells this build of the package from others of its version."""
    found = os.stat(_native.__file__)
    return f"{found.st_size} {found.st_mtime_ns}"
