"""Runs testbenches of cocotb 2 on an artifact, without a simulator.

`python -m rtlwasm.cocotb design.wasm --module test_design`, or `Runner` where `cocotb_tools.runner.get_runner` would
be. cocotb itself is what is installed and stays as it is. Only its module `cocotb.simulator`, which is made for
simulators with VPI, VHPI or FLI, is another one here; its functions are no public interface, so that other versions
than 2.0 and 2.1 are refused.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import load
from ..errors import LoadError, OptionError
from ._kernel import Kernel
from ._simulator import install

__all__ = ["Runner", "main", "run"]

VERSIONS = ("2.0", "2.1")
UNITS = {"s": 0, "ms": -3, "us": -6, "ns": -9, "ps": -12, "fs": -15}


def _version() -> str:
    try:
        found = metadata.version("cocotb")
    except metadata.PackageNotFoundError:
        raise ImportError("this is for cocotb 2, which is not installed: pip install cocotb", name="cocotb") from None
    version = ".".join(found.split(".")[:2])
    if version not in VERSIONS:
        raise ImportError(
            f"this is for cocotb {' and '.join(VERSIONS)}, and {found} is installed: install one of those, or a "
            "version of rtlwasm that knows it",
            name="cocotb",
        )
    return version


def run(
    artifact: str | os.PathLike[str],
    *,
    environment: Mapping[str, str] | None = None,
    precision: str = "1ps",
    plusargs: Sequence[str] = (),
    wave: str | os.PathLike[str] | None = None,
) -> bool:
    """Run the tests that cocotb's environment variables name, and return whether the simulation went through.

    What the tests came to is in the file that `COCOTB_RESULTS_FILE` names. Once in a process, and before cocotb is
    imported: a process of cocotb's has one simulation.

    environment: variables beside those that are set already, such as `COCOTB_TEST_MODULES`.
    precision: of time, as 1, 10 or 100 of a unit from s to fs, and not above 1ns.
    plusargs: for the design and for cocotb.
    wave: a `.vcd` or `.fst` file.
    """
    version = _version()
    os.environ.update(environment or {})
    model = load(artifact, plusargs=plusargs)
    kernel = Kernel(model, _exponent(precision), has_packed=version != "2.0")
    arguments = ["rtlwasm", *(f"+{plusarg.removeprefix('+')}" for plusarg in plusargs)]
    install(kernel, arguments, tells_why=version == "2.0")
    from pygpi.entry import load_entry

    with model.record(wave) if wave else nullcontext():
        load_entry(*([arguments] if inspect.signature(load_entry).parameters else []))
        kernel.run()
    return not kernel.failed


def _exponent(precision: str) -> int:
    match = re.fullmatch(r"(1|10|100)\s*(\w+)", precision.strip())
    if not match or match[2] not in UNITS or (exponent := UNITS[match[2]] + len(match[1]) - 1) > UNITS["ns"]:
        raise OptionError(f"`{precision}` is no precision: 1, 10 or 100 of ns, ps or fs, and not above 1ns")
    return exponent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all tests have passed."""
    parser = argparse.ArgumentParser("python -m rtlwasm.cocotb", description="Runs cocotb's tests on an artifact.")
    parser.add_argument("artifact", help="what `rtlwasm build` has written")
    parser.add_argument("-m", "--module", action="append", help="module with tests; COCOTB_TEST_MODULES")
    parser.add_argument("--filter", help="regular expression of tests to run; COCOTB_TEST_FILTER")
    parser.add_argument("--results", default=None, help="results.xml by default; COCOTB_RESULTS_FILE")
    parser.add_argument("--seed", type=int, help="of Python's random numbers; COCOTB_RANDOM_SEED")
    parser.add_argument("--precision", default="1ps", help="of time; 1ps by default")
    parser.add_argument("--plusarg", action="append", default=[], help="NAME or NAME=VALUE")
    parser.add_argument("--wave", help="a .vcd or .fst file to write")
    parser.add_argument("--ignore-failures", action="store_true", help="exit with 0 also when tests have failed")
    given = parser.parse_args(arguments)
    settings = {
        "COCOTB_TEST_MODULES": ",".join(given.module or []),
        "COCOTB_TEST_FILTER": given.filter,
        "COCOTB_RESULTS_FILE": given.results,
        "COCOTB_RANDOM_SEED": None if given.seed is None else str(given.seed),
    }
    environment = {name: value for name, value in settings.items() if value}
    if "COCOTB_TEST_MODULES" not in {*environment, *os.environ}:
        parser.error("which tests? --module NAME")
    how = {"precision": given.precision, "plusargs": given.plusarg, "wave": given.wave}
    try:
        ok = run(given.artifact, environment=environment, **how)
    except (LoadError, OptionError, FileNotFoundError) as error:
        parser.error(str(error))
    from cocotb_tools.check_results import get_results

    tests, failed = get_results(Path(os.environ.get("COCOTB_RESULTS_FILE", "results.xml")))
    return int(not ok or (failed > 0 and not given.ignore_failures))


def __getattr__(name: str) -> Any:
    """`Runner` needs cocotb, which the rest only needs when it runs."""
    if name == "Runner":
        from ._runner import Runner

        return Runner
    raise AttributeError(name)
