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
        artifact = _native.Artifact(_compile(text))
    _kept[text] = artifact
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return artifact


def _compile(text: str) -> bytes:
    request: dict[str, object] = {
        "sources": [],
        "rtlil": ("<design>", text),
        "top": "top",
        "language": None,
        "include_dirs": [],
        "defines": [],
        "parameters": [],
        "file_lists": [],
        "library_dirs": [],
        "yosys": None,
        "verbose": False,
        "opt_level": 0,
        "strip": "full",
        "undef": "zero",
        "poke": "all",
        "clock_order": "delta",
        "profile": "server",
    }
    wasm, _, _ = _native.compile(request)
    return wasm
