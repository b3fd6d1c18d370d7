"""Nothing of a design runs in the frameworks' own engines or in what they compile to Python: neither is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import io, sys
import cpu_bench
from importlib import import_module

framework, how = sys.argv[1:]
cpu, seen = cpu_bench.design(framework), []
engine = import_module(f"rtlwasm.{framework}").WASMEngine
sim = import_module(f"{framework}.sim").Simulator(cpu, engine=engine)
sim.add_clock(1e-6)
getattr(cpu_bench, framework)(sim, cpu, 300, how, seen)
file = io.StringIO()
file.close = lambda: None
with sim.write_vcd(file, **({"traces": ()} if framework == "torii" else {})):
    sim.run()
sim.reset()
sim.run()
assert len(seen) == 6 and seen[2] == seen[5]
print(*(name for name in sys.modules if name.rpartition(".")[2] in ("pysim", "_pyrtl", "_pyeval", "_pyclock")))
"""


@pytest.mark.parametrize("how", ["run", "wait", "look", "write"])
@pytest.mark.parametrize("framework", ["amaranth", "torii"])
def test_the_frameworks_own_engines_are_not_loaded(framework: str, how: str) -> None:
    command = [sys.executable, "-c", SCRIPT, framework, how]
    run = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
