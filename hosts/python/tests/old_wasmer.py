"""A Python that the package `wasmer` still has wheels for, with that package, if there can be one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


class NotThereError(Exception):
    """Why there is none."""


def python_with_wasmer(folder: Path) -> Path:
    """The interpreter of an environment in `folder`, which is made if it is not there."""
    python = folder / "bin" / "python"
    if _runs([python, "-c", "import wasmer, wasmer_compiler_cranelift"]):
        return python
    pinned = tomllib.loads(PYPROJECT.read_text())["dependency-groups"]["wasmer"]
    old = _python_3_10()
    if not _runs([old, "-m", "venv", "--clear", folder]):
        raise NotThereError(f"{old} makes no environment")
    if not _runs([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pinned]):
        raise NotThereError(f"{', '.join(pinned)} cannot be installed")
    return python


def _python_3_10() -> str:
    """Where it is; version managers have a file of that name that only works when the version is chosen."""
    asked = [shutil.which("python3.10")]
    if versions := os.environ.get("PYENV_ROOT"):
        asked += sorted(str(path) for path in Path(versions).glob("versions/3.10*/bin/python3.10"))
    found = [python for python in asked if python and _runs([python, "-c", "import venv"])]
    if not found:
        raise NotThereError("there is no Python 3.10")
    return found[0]


def _runs(command: list[str | Path]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=300).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
