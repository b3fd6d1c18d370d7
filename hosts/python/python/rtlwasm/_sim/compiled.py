"""Compiled designs, kept by their text: a test suite simulates the same design again and again."""

from __future__ import annotations

from collections import OrderedDict

from .. import _native

KEPT = 64
"""Designs of a process that are kept; the least recently used go first."""

_kept: OrderedDict[str, _native.Artifact] = OrderedDict()


def compiled(text: str) -> _native.Artifact:
    """The artifact of a design."""
    artifact = _kept.pop(text, None)
    if artifact is None:
        artifact = _native.compile_design(text)
    _kept[text] = artifact
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return artifact
