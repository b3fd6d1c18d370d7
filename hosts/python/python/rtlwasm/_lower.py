"""Amaranth and Torii designs to RTLIL, by their own writers; neither is imported unless a design of it comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import OptionError


def framework_of(source: Any) -> str | None:
    """ "amaranth" or "torii" for an elaboratable or a fragment of theirs, else None."""
    packages = {base.__module__.partition(".")[0] for base in type(source).__mro__}
    found = packages & {"amaranth", "torii"}
    return found.pop() if found else None


def to_rtlil(source: Any, framework: str, name: str | None, ports: Sequence[Any] | None) -> str:
    """The design as RTLIL text."""
    return (_amaranth if framework == "amaranth" else _torii)(source, name or "top", ports)


def _amaranth(source: Any, name: str, ports: Sequence[Any] | None) -> str:
    from amaranth.back import rtlil

    if ports is None and not hasattr(source, "signature"):
        raise _no_ports(source)
    return str(rtlil.convert(source, name=name, ports=ports))


def _torii(source: Any, name: str, ports: Sequence[Any] | None) -> str:
    from torii.back import rtlil

    if ports is None:
        raise _no_ports(source)
    return str(rtlil.convert(source, name=name, ports=ports))


def _no_ports(source: Any) -> OptionError:
    return OptionError(
        f"{type(source).__name__} does not say what its ports are: give them as ports=[...], "
        "all signals among them that a testbench drives or reads"
    )
