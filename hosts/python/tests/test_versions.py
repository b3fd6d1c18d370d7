"""Versions of the frameworks that lack what the engines use are refused when an engine is imported."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import amaranth.hdl._ir
import amaranth.sim.core
import amaranth.sim.pysim
import pytest
import rtlwasm.amaranth._private

# What is taken away, and what the message says of it.
LACKS = [
    ("amaranth", "import amaranth.sim._base as m; del m.BaseEngineState", "BaseEngineState"),
    ("amaranth", "import amaranth.sim._async as m; del m.SampleTrigger", "SampleTrigger"),
    ("amaranth", "from amaranth.hdl import MemoryData as m; del m._Row", "_Row"),
    ("amaranth", "from amaranth.hdl import MemoryInstance as m; m._WritePort = type('Port', (), {})", "Port"),
    ("amaranth", "from amaranth.hdl import MemoryInstance as m; m.read_port = lambda self: None", "domain"),
    ("torii", "import torii.sim._base as m; del m.BaseEngine", "BaseEngine"),
]


@pytest.mark.parametrize(("framework", "change", "told"), LACKS)
def test_what_is_missing_is_told(framework, change, told):
    script = f"import {framework}.sim\n{change}\nimport rtlwasm.{framework}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    message = run.stderr.strip().splitlines()[-1]
    assert re.search(
        rf"ImportError: this engine is for {framework} 0\.\d, and 0\.\d\.\d+ lacks something that it uses "
        rf"\(.*{told}.*\): install {framework}~=0\.\d\.0, or a version of rtlwasm that knows it",
        message,
    ), run.stderr


@pytest.mark.parametrize("framework", ["amaranth", "torii"])
def test_private_names_are_in_one_place(framework):
    engine = importlib.import_module(f"rtlwasm.{framework}")
    package = Path(engine.__file__).parent
    for file in [*package.glob("*.py"), *package.parent.glob("_sim/*.py")]:
        if file.name == "_private.py":
            continue
        found = re.findall(r"\w+\._[a-zA-Z]\w*", file.read_text())
        # Their own, of the package's modules and of each other, and the type of a prepared design.
        own = ("self.", "writer.", "builder.", "engine.", "_engine.", "_native.", "_sim.", "sys._getframe", "hdl._ir")
        assert not [name for name in found if not name.startswith(own)], file


def test_amaranths_own_engine_and_writer_use_the_same_private_names():
    """An engine cannot do without what they reach into the rest of Amaranth for; what changes it changes them."""
    theirs = [amaranth.sim._base, amaranth.sim._async, amaranth.sim.core, amaranth.sim.pysim, amaranth.hdl._ir]
    known = {name for module in theirs for name in private_names(module)}
    ours = private_names(rtlwasm.amaranth._private)
    assert "_read_ports" in ours
    assert ours - known == set()


def private_names(module):
    """Attributes of anything but modules that are not public."""
    tree = ast.parse(Path(module.__file__).read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}
