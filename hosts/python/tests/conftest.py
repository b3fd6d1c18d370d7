"""What the tests share: designs that need no Yosys, and models of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import rtlwasm

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[3]
DESIGNS = REPOSITORY / "compiler" / "tests" / "cli"


verilog = pytest.mark.skipif(
    "RTLWASM_TEST_VERILOG" not in os.environ, reason="needs Yosys: set RTLWASM_TEST_VERILOG (`cargo xtask python` does)"
)


@pytest.fixture(scope="session")
def counter_artifact() -> rtlwasm.Artifact:
    return rtlwasm.compile(DESIGNS / "counter.il", top="counter")


@pytest.fixture
def counter(counter_artifact: rtlwasm.Artifact) -> rtlwasm.Model:
    """Ports clk rst en addr count word wide, a register shifter, a memory ram of 16 rows of 16 bits."""
    return counter_artifact.model()


@pytest.fixture
def two_clocks() -> rtlwasm.Model:
    """Clocks red and blue, outputs reds and blues that count them."""
    return rtlwasm.compile(DESIGNS / "two_clocks.il").model()
