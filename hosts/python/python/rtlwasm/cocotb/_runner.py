"""cocotb's runner for artifacts: `build` compiles, `test` simulates in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cocotb_tools.runner import Runner as _Runner
from cocotb_tools.runner import Verilog


class Runner(_Runner):
    """What `cocotb_tools.runner.get_runner` gives for simulators that cocotb knows.

    `build` takes Verilog and SystemVerilog, and compiles each time; its `build_args` are none. `waves=True` of `test`
    writes `TOP.fst`.
    """

    supported_gpi_interfaces: ClassVar[dict[str, list[str]]] = {"verilog": ["vpi"]}

    def _simulator_in_path(self) -> None:
        """It is this package."""

    def _get_include_options(self, includes: Sequence[Any]) -> list[str]:
        return [str(folder) for folder in includes]

    def _get_define_options(self, defines: Mapping[str, object]) -> list[str]:
        return [name if value is None else f"{name}={value}" for name, value in defines.items()]

    def _get_parameter_options(self, parameters: Mapping[str, object]) -> list[str]:
        return [f"{name}={value}" for name, value in parameters.items()]

    @property
    def _artifact(self) -> Path:
        return Path(self.build_dir) / "design.wasm"

    def _waves_file(self) -> str:
        return f"{self.sim_hdl_toplevel}.fst"

    def _use_external_viewer(self) -> bool:
        return True

    def _build_command(self) -> list[list[str]]:
        if arguments := [argument.value for argument in self._build_args]:
            raise ValueError(f"this runner has no build_args, and they are {arguments}")
        sources = [source.value for source in [*self._sources, *self._verilog_sources]]
        if vhdl := [source.value for source in self._sources if source.tag is not Verilog]:
            raise ValueError(f"only Verilog can be compiled, and there is {vhdl[0]}")
        request = {
            "source": [str(source) for source in sources],
            "top": self.hdl_toplevel,
            "output": str(self._artifact),
            "include_dirs": self._get_include_options(self.includes),
            "defines": self._get_define_options(self.defines),
            "parameters": {name: str(value) for name, value in self.parameters.items()},
        }
        return [[sys.executable, "-m", "rtlwasm.cocotb._build", json.dumps(request)]]

    def _test_command(self) -> list[list[str]]:
        command = [sys.executable, "-m", "rtlwasm.cocotb", str(self._artifact), "--ignore-failures"]
        for plusarg in self.plusargs:
            command += ["--plusarg", plusarg.removeprefix("+")]
        if self.timescale is not None:
            command += ["--precision", self.timescale[1]]
        if self.waves:
            command += ["--wave", self._waves_file()]
        return [[*command, *self.test_args]]
