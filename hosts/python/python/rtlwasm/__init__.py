"""Compiles hardware designs to WebAssembly and runs them at native speed.

>>> import rtlwasm
>>> model = rtlwasm.compile("counter.v", top="counter").model()
>>> model["en"].value = 1
>>> model.step(100)
Run("ok", cycles=100)
>>> model["count"].value
100

`compile` takes Verilog and SystemVerilog (with the extra `rtlwasm[verilog]`), RTLIL, Amaranth and Torii; `load` takes
the `.wasm` file that came of it. A `Model` is one running simulation.
"""

from ._compile import compile, load
from ._debug import Break, Place, SignalChange, Stop
from ._lanes import barrier, lane_count, lane_id, lane_seed, lanes
from ._native import Clock, Event, Run, Signal, Watch, __version__
from .artifact import Artifact
from .errors import (
    AssertionFailed,
    CompileError,
    CompileWarning,
    ConditionNotMetError,
    Diagnostic,
    DivergenceError,
    ForeignError,
    GoldenError,
    ImageError,
    InternalError,
    LaneError,
    LoadError,
    ModelBusyError,
    NotSettledError,
    NotWritableError,
    OptionError,
    RowError,
    RtlwasmError,
    ShapeError,
    UnknownNameError,
    ValueRangeError,
    WaveError,
)
from .hierarchy import Scope
from .model import Change, Model
from .wave import Wave

__all__ = [
    "Artifact",
    "AssertionFailed",
    "Break",
    "Change",
    "Clock",
    "CompileError",
    "CompileWarning",
    "ConditionNotMetError",
    "Diagnostic",
    "DivergenceError",
    "Event",
    "ForeignError",
    "GoldenError",
    "ImageError",
    "InternalError",
    "LaneError",
    "LoadError",
    "Model",
    "ModelBusyError",
    "NotSettledError",
    "NotWritableError",
    "OptionError",
    "Place",
    "RowError",
    "RtlwasmError",
    "Run",
    "Scope",
    "ShapeError",
    "Signal",
    "SignalChange",
    "Stop",
    "UnknownNameError",
    "ValueRangeError",
    "Watch",
    "Wave",
    "WaveError",
    "__version__",
    "barrier",
    "compile",
    "lane_count",
    "lane_id",
    "lane_seed",
    "lanes",
    "load",
]
