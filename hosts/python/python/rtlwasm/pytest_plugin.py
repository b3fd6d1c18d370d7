"""A pytest plugin: models for tests, and golden traces.

It is found by pytest when the package is installed. `rtl_model("counter.v", top="counter")` compiles a design once a
session and gives each test a model of its own; `rtl_golden(wave)` compares what was recorded with a file beside the
test, which `pytest --rtl-bless` writes.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .artifact import Artifact
    from .model import Model
    from .wave import Wave

FOLDER = "golden"
"""Where golden traces lie, beside the test."""

Golden = Callable[..., None]
"""`rtl_golden(wave, name=None)`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the command line options."""
    group = parser.getgroup("rtlwasm", "hardware models")
    group.addoption("--rtl-bless", action="store_true", help="write golden traces instead of comparing with them")
    group.addoption(
        "--shuffle-lanes",
        nargs="?",
        type=int,
        const=-1,
        metavar="SEED",
        help="start the lanes of rtlwasm.lanes in another order, by default another one each time",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the order of lanes."""
    seed = config.getoption("--shuffle-lanes")
    if seed is not None:
        from . import _lanes

        _lanes._shuffle = seed if seed >= 0 else random.randrange(1 << 32)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Tell how the order of lanes is had again."""
    if config.getoption("--shuffle-lanes") is None:
        return None
    from . import _lanes

    return f"rtlwasm: lanes are shuffled, again with --shuffle-lanes={_lanes._shuffle}"


class Artifacts:
    """What was compiled in this session."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._made: dict[str, Artifact] = {}

    def get(self, source: Any, options: dict[str, Any]) -> Artifact:
        """The artifact of files or text, compiled once; of other sources compiled each time."""
        from . import compile

        plain = [source] if isinstance(source, (str, os.PathLike)) else source
        if not isinstance(plain, (list, tuple)) or not all(isinstance(s, (str, os.PathLike)) for s in plain):
            return compile(source, **options)
        key = repr(([os.fspath(path) for path in plain], sorted(options.items())))
        if key not in self._made:
            self._made[key] = compile(source, **options)
        return self._made[key]


@pytest.fixture(scope="session")
def rtl_artifacts() -> Artifacts:
    """The artifacts of this session; used by `rtl_model`."""
    return Artifacts()


@pytest.fixture
def rtl_model(request: pytest.FixtureRequest, rtl_artifacts: Artifacts) -> Callable[..., Model]:
    """Compile a design and make a model: `rtl_model(source, *, engine="wasm", seed=0, plusargs=(), **options)`.

    source: as for `rtlwasm.compile`, or a `.wasm` file.
    options: those of `rtlwasm.compile`. Paths of sources, include_dirs, library_dirs and file_lists are relative to the
        test's folder.
    """
    folder = request.path.parent

    def make(
        source: Any, *, engine: str = "wasm", seed: int = 0, plusargs: Sequence[str] = (), **options: Any
    ) -> Model:
        from . import load

        source = _beside(folder, source)
        for option in ("include_dirs", "library_dirs", "file_lists"):
            if isinstance(options.get(option), (list, tuple)):
                options[option] = _beside(folder, options[option])
        if isinstance(source, Path) and source.suffix == ".wasm":
            return load(source, engine=engine, seed=seed, plusargs=plusargs)
        return rtl_artifacts.get(source, options).model(engine=engine, seed=seed, plusargs=plusargs)

    return make


def _beside(folder: Path, source: Any) -> Any:
    """The same with paths below the test's folder; text stays text."""
    if isinstance(source, (list, tuple)):
        return [_beside(folder, one) for one in source]
    if isinstance(source, str) and "\n" in source:
        return source
    return folder / source if isinstance(source, (str, os.PathLike)) else source


@pytest.fixture
def rtl_golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a trace with the golden one: `rtl_golden(wave, name=None)`.

    The file is `golden/FILE.TEST.trace` beside the test (`golden/FILE.TEST.NAME.trace` with a name): one line for each
    cycle in which something changed. `pytest --rtl-bless` writes it. Raises `GoldenError` with the first difference.
    """
    folder = request.path.parent / FOLDER
    bless = bool(request.config.getoption("--rtl-bless"))
    # The names of classes are part of it: two of them may have tests of the same name.
    test = request.node.nodeid.partition("::")[2]
    used: set[str] = set()

    def check(wave: Wave, name: str | None = None) -> None:
        from .errors import GoldenError

        __tracebackhide__ = True
        stem = ".".join(_plain(part) for part in (request.path.stem, test, name) if part)
        if stem in used:
            raise GoldenError(f"{stem} was compared before in this test: give each wave a name, rtl_golden(wave, name)")
        used.add(stem)
        path = folder / f"{stem}.trace"
        text = "\n".join([f"cycles {wave.cycles}", *wave.lines(), ""])
        if bless:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        _compare(path, text)

    return check


def _plain(name: str) -> str:
    """The name as part of a file's name on every system."""
    return re.sub(r"[^\w.-]+", "_", name).strip("_")


def _compare(path: Path, text: str) -> None:
    from .errors import GoldenError

    __tracebackhide__ = True
    way_out = "look at it, and accept it with pytest --rtl-bless"
    if not path.is_file():
        raise GoldenError(f"there is no golden trace {path}: {way_out}")
    golden, found = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    for number in range(max(len(golden), len(found))):
        before = golden[number] if number < len(golden) else "(nothing)"
        now = found[number] if number < len(found) else "(nothing)"
        if before != now:
            raise GoldenError(
                f"{path}:{number + 1} differs\n  golden: {before}\n  now:    {now}\nif it should be so: {way_out}"
            )
