"""The module `cocotb.simulator` for a model: the same functions, without a simulator behind them."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType

from .._native import __version__
from . import _constants
from ._callbacks import Callback
from ._clock import SimulatorClock
from ._kernel import Kernel
from ._objects import Object, Value

NAME = "cocotb.simulator"


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives cocotb this module instead of the one that is made for simulators with VPI, VHPI and FLI."""

    def __init__(self, module: ModuleType) -> None:
        """From now on, the module is this one."""
        self._module = module

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for one module only."""
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == NAME else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module that was made before."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """It is complete."""


def install(kernel: Kernel, arguments: Sequence[str], *, tells_why: bool) -> None:
    """Let cocotb find the kernel; before cocotb itself is imported.

    tells_why: whether the function that is told of the simulation's end takes a text.
    """
    module = ModuleType(NAME)
    for name, value in vars(_constants).items():
        if name.isupper():
            setattr(module, name, value)
    for name, function in _functions(kernel, list(arguments), tells_why=tells_why).items():
        setattr(module, name, function)
    sys.meta_path.insert(0, Finder(module))


def _functions(kernel: Kernel, arguments: list[str], *, tells_why: bool) -> dict[str, object]:
    def get_root_handle(name: str | None) -> Object | None:
        return kernel.root if name in (None, kernel.root.name) else None

    def get_sim_time() -> tuple[int, int]:
        return kernel.now >> 32, kernel.now & 0xFFFFFFFF

    def root_iterate() -> Iterator[Object]:
        return iter((kernel.root,))

    def set_sim_event_callback(function: object) -> None:
        assert callable(function)
        kernel.ended = (lambda: function("the simulation has ended")) if tells_why else function

    def clock_create(value: Value) -> SimulatorClock:
        return SimulatorClock(kernel, value)

    def register_value_change_callback(value: Value, function: object, edge: int, *args: object) -> Callback:
        assert callable(function)
        return kernel.on_change(value, function, edge, *args)

    return {
        "sim_obj": Object,
        "gpi_sim_hdl": Object,
        "sim_callback": Callback,
        "gpi_cb_hdl": Callback,
        "sim_obj_iterator": Iterator,
        "gpi_iterator_hdl": Iterator,
        "cpp_clock": SimulatorClock,
        "clock_create": clock_create,
        "get_precision": lambda: kernel.precision,
        "get_root_handle": get_root_handle,
        "get_sim_time": get_sim_time,
        "get_simulator_args": lambda: arguments,
        "get_simulator_product": lambda: "rtlwasm",
        "get_simulator_version": lambda: __version__,
        "initialize_logger": lambda log, get_logger: None,
        "is_running": lambda: True,
        "package_iterate": lambda: iter(()),
        "register_nextstep_callback": kernel.on_next_step,
        "register_readonly_callback": kernel.on_read_only,
        "register_rwsynch_callback": kernel.on_read_write,
        "register_timed_callback": kernel.after,
        "register_value_change_callback": register_value_change_callback,
        "root_iterate": root_iterate,
        "set_gpi_log_level": lambda level: None,
        "set_sim_event_callback": set_sim_event_callback,
        "stop_simulator": kernel.stop,
    }
