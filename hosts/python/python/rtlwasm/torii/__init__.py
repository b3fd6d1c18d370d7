"""A simulation engine for Torii: `Simulator(dut, engine=WASMEngine)`, and nothing else changes."""

from .._sim.versions import complete, require

require("torii", "0.8")
with complete("torii", "0.8"):
    from . import _private  # noqa: F401 - it looks at all that is not public

from ._engine import WASMEngine  # noqa: E402 - what it imports is there now

__all__ = ["WASMEngine"]
