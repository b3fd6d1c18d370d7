"""Compiling, loading, and what is said when either fails."""

from __future__ import annotations

from pathlib import Path

import pytest
import rtlwasm
from conftest import DESIGNS, verilog

INVERTER = """
module \\inverter
  wire input 1 \\a
  wire output 2 \\y
  cell $not $1
    parameter \\A_SIGNED 0
    parameter \\A_WIDTH 1
    parameter \\Y_WIDTH 1
    connect \\A \\a
    connect \\Y \\y
  end
end
"""


def test_from_text() -> None:
    artifact = rtlwasm.compile(INVERTER)
    assert (artifact.top, artifact.ports, artifact.warnings) == ("inverter", ["a", "y"], "")
    assert artifact.wasm.startswith(b"\0asm")
    model = artifact.model()
    model.eval()
    assert model["y"].value == 1


def test_save_and_load(tmp_path: Path) -> None:
    path = tmp_path / "inverter.wasm"
    artifact = rtlwasm.compile(INVERTER, output=path)
    assert path.read_bytes() == artifact.wasm
    assert artifact.save(tmp_path / "again.wasm").read_bytes() == artifact.wasm
    for source in (path, str(path), artifact.wasm, artifact):
        assert rtlwasm.load(source, cached=False).artifact.top == "inverter"


def test_dependencies_and_manifest() -> None:
    artifact = rtlwasm.compile([DESIGNS / "counter.il"], top="counter")
    assert artifact.dependencies == [DESIGNS / "counter.il"]
    assert artifact.manifest["clocks"][0]["name"] == "clk"


def test_the_same_source_gives_the_same_bytes() -> None:
    assert rtlwasm.compile(INVERTER).wasm == rtlwasm.compile(INVERTER).wasm


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_levels(level: int) -> None:
    model = rtlwasm.compile(DESIGNS / "counter.il", opt_level=level).model()
    model.poke("en", 1)
    model.step(9)
    assert model["count"].value == 9


def test_poke_patterns() -> None:
    model = rtlwasm.compile(DESIGNS / "counter.il", poke="shif*").model()
    model.poke("shifter", 5)
    with pytest.raises(rtlwasm.NotWritableError, match="option `poke`"):
        model["ram"][0] = 1


def test_seeds() -> None:
    artifact = rtlwasm.compile(DESIGNS / "counter.il", undef="random")
    first, again, other = (artifact.model(seed=seed)["ram"][0:16] for seed in (1, 1, 2))
    assert first == again != other


def test_errors_show_the_place(tmp_path: Path) -> None:
    source = tmp_path / "bad.il"
    source.write_text("module \\m\n  wire widht 3 \\w\nend\n")
    with pytest.raises(rtlwasm.CompileError, match=r"bad.il:2:8") as caught:
        rtlwasm.compile(source)
    [diagnostic] = caught.value.diagnostics
    assert (diagnostic.line, diagnostic.column, diagnostic.severity) == (2, 8, "error")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"opt_level": 4}, "opt_level is 0, 1, 2 or 3"),
        ({"undef": "x"}, "undef is one of zero, ones, random, and not `x`"),
        ({"strip": "all"}, "strip is one of"),
        ({"language": "vhdl"}, "language is one of"),
        ({"clock_order": ""}, "clock_order is one of verilog, delta"),
        ({"defines": "TWICE"}, r"write \['TWICE'\]"),
        ({"ports": []}, "ports is for Amaranth and Torii"),
        ({"include_dirs": "here"}, r"write \['here'\]"),
    ],
)
def test_options_are_checked(options: dict[str, object], text: str) -> None:
    with pytest.raises(rtlwasm.OptionError, match=text):
        rtlwasm.compile(INVERTER, **options)


@pytest.mark.parametrize("source", [None, 3, b"module", [3]])
def test_sources_are_checked(source: object) -> None:
    with pytest.raises((rtlwasm.RtlwasmError, TypeError)):
        rtlwasm.compile(source)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(rtlwasm.CompileError, match="missing.il"):
        rtlwasm.compile(tmp_path / "missing.il")
    with pytest.raises(FileNotFoundError):
        rtlwasm.load(tmp_path / "missing.wasm")
    with pytest.raises(rtlwasm.CompileError, match="nosuch"):
        rtlwasm.compile(INVERTER, top="nosuch")


def test_what_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(rtlwasm.LoadError, match="not a WebAssembly module"):
        rtlwasm.load(b"module counter;")
    with pytest.raises(rtlwasm.LoadError, match=r"rtl.manifest"):
        rtlwasm.load(b"\0asm\1\0\0\0")
    wasm = rtlwasm.compile(INVERTER).wasm
    with pytest.raises(rtlwasm.LoadError):
        rtlwasm.load(wasm[: len(wasm) // 2])


def test_damaged_artifacts_are_refused_or_run() -> None:
    wasm = rtlwasm.compile(DESIGNS / "counter.il").wasm
    for place in range(8, len(wasm), 97):
        damaged = bytearray(wasm)
        damaged[place] ^= 0x15
        try:
            model = rtlwasm.load(bytes(damaged), cached=False)
            model.step(3)
            [(signal.value, signal.array()) for signal in model.ports if signal.width]
            [signal.view() for signal in model if signal.width]
            model.restore(model.fork().snapshot())
        except rtlwasm.RtlwasmError as error:
            # Code that traps is one thing, a panic of ours another.
            assert "rtlwasm has a bug" not in str(error)


@verilog
def test_verilog(tmp_path: Path) -> None:
    source = tmp_path / "adder.sv"
    source.write_text(
        "module adder #(parameter W = 4)(input [W-1:0] a, b, output [W:0] y);\n"
        "`ifdef TWICE\n  assign y = (a + b) * 2;\n`else\n  assign y = a + b;\n`endif\nendmodule\n"
    )
    model = rtlwasm.compile(source, top="adder", parameters={"W": 6}).model()
    model["a"].value, model["b"].value = 63, 2
    model.eval()
    assert model["y"].value == 65
    for defines in (["TWICE"], ["TWICE=1"], {"TWICE": None}, {"TWICE": 1}):
        twice = rtlwasm.compile(source, defines=defines).model()
        twice["a"].value = 3
        twice.eval()
        assert twice["y"].value == 6
    source.write_text("module adder(input a, output y);\n  assign y = a +;\nendmodule\n")
    with pytest.raises(rtlwasm.CompileError, match=r"adder.sv:2"):
        rtlwasm.compile(source)


def test_warnings_are_python_warnings() -> None:
    with pytest.warns(rtlwasm.CompileWarning, match="undriven") as caught:
        artifact = rtlwasm.compile("module \\m\n  wire output 1 \\y\n  wire \\w\n  connect \\y \\w\nend\n")
    assert "undriven" in artifact.warnings
    assert [warning.filename for warning in caught] == [__file__]


def test_verilog_as_text_is_told() -> None:
    with pytest.raises(rtlwasm.OptionError, match="looks like Verilog"):
        rtlwasm.compile("module m(input a, output b);\n  assign b = a;\nendmodule\n")
