"""A simulation engine for Amaranth: `Simulator(dut, engine=WASMEngine)`, and nothing else changes."""

from .._sim.versions import complete, require

require("amaranth", "0.5")
with complete("amaranth", "0.5"):
    from . import _private

    _private.check()

from ._engine import WASMEngine  # noqa: E402 - what it imports is there now

__all__ = ["WASMEngine"]
