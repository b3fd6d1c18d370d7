"""Runs the gateware tests of another project under an engine: one line a test, with its processor time.

    python suite.py torii FOLDER ENGINE [PATTERN]

FOLDER has the project's `tests`; ENGINE is "wasm", "pysim", or a module with a `WASMSimEngine`; PATTERN picks tests
whose name contains it. SOL's tests are for Torii, LUNA's for Amaranth; both make their simulators without naming an
engine, so the default is exchanged here.
"""

import sys
import time
import unittest
import warnings
from functools import partialmethod
from importlib import import_module


class Result(unittest.TestResult):
    """Prints how each test ended, and how long it took."""

    def __init__(self):
        super().__init__()
        self.started = 0.0
        self.bad = []

    def startTest(self, test):  # noqa: N802
        super().startTest(test)
        self.started = time.process_time()

    def line(self, test, how):
        seconds = time.process_time() - self.started
        print(f"{how} {seconds:.3f} {test.id()}", flush=True)

    def addSuccess(self, test):  # noqa: N802
        self.line(test, "pass")

    def addSkip(self, test, reason):  # noqa: N802
        self.line(test, "skip")

    def addFailure(self, test, error):  # noqa: N802
        super().addFailure(test, error)
        self.line(test, "FAIL")
        self.bad.append(self.failures[-1][1])

    def addError(self, test, error):  # noqa: N802
        super().addError(test, error)
        self.line(test, "ERROR")
        self.bad.append(self.errors[-1][1])


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def main(framework, folder, engine, pattern=""):
    warnings.simplefilter("ignore")
    if engine == "wasm":
        engine = import_module(f"rtlwasm.{framework}").WASMEngine
    elif engine != "pysim":
        engine = import_module(engine).WASMSimEngine
    simulator = import_module(f"{framework}.sim").Simulator
    simulator.__init__ = partialmethod(simulator.__init__, engine=engine)
    sys.path.insert(0, folder)
    found = unittest.defaultTestLoader.discover(f"{folder}/tests", top_level_dir=folder)
    result = Result()
    unittest.TestSuite(test for test in flat(found) if pattern in test.id()).run(result)
    for text in result.bad:
        print(text, file=sys.stderr)
    print(f"{result.testsRun} tests, {len(result.bad)} failed")
    return bool(result.bad)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
