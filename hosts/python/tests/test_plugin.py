"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import pytest
from conftest import DESIGNS

TEST = f"""
SOURCE = {str(DESIGNS / "counter.il")!r}

def test_counts(rtl_model, rtl_golden):
    model = rtl_model(SOURCE, top="counter")
    model.poke("en", STEP)
    rtl_golden(model.trace(["en", "count"], cycles=5))
    rtl_golden(model.trace(["count"], cycles=2), name="more")

def test_models_are_fresh(rtl_model):
    model = rtl_model(SOURCE, top="counter")
    assert model["count"].value == 0
    again = rtl_model(SOURCE, top="counter", engine="both")
    assert (again.engine, again.artifact is model.artifact) == ("both", True)
"""


def test_golden_traces(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=TEST.replace("STEP", "1"))
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*there is no golden trace*pytest --rtl-bless*"])
    pytester.runpytest_subprocess("--rtl-bless").assert_outcomes(passed=2)
    golden = pytester.path / "golden" / "test_it.test_counts.trace"
    assert golden.read_text().splitlines() == [
        "cycles 5",
        "0 en=1 count=01",
        "1 count=02",
        "2 count=03",
        "3 count=04",
        "4 count=05",
    ]
    assert (pytester.path / "golden" / "test_it.test_counts.more.trace").is_file()
    pytester.runpytest_subprocess().assert_outcomes(passed=2)
    pytester.makepyfile(test_it=TEST.replace("STEP", "0"))
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*golden: 0 en=1 count=01*", "*now: *0 en=0 count=00*"])


def test_two_waves_of_one_name_do_not_replace_each_other(pytester: pytest.Pytester) -> None:
    body = "        rtl_golden(rtl_model(SOURCE, top='counter').trace(['count'], cycles=1))\n"
    head = "    def test_it(self, rtl_model, rtl_golden):\n" + body
    text = f"SOURCE = {str(DESIGNS / 'counter.il')!r}\nclass TestA:\n{head}class TestB:\n{head}{body}"
    pytester.makepyfile(test_it=text)
    result = pytester.runpytest_subprocess("--rtl-bless")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*give each wave a name*"])
    files = sorted(path.name for path in (pytester.path / "golden").iterdir())
    assert files == ["test_it.TestA_test_it.trace", "test_it.TestB_test_it.trace"]


def test_sources_lie_beside_the_test(pytester: pytest.Pytester) -> None:
    pytester.mkdir("sub")
    (pytester.path / "sub" / "design.il").write_text((DESIGNS / "counter.il").read_text())
    (pytester.path / "sub" / "test_sub.py").write_text(
        "def test_it(rtl_model):\n"
        "    artifact = rtl_model('design.il').artifact\n"
        "    assert rtl_model(artifact.save(__file__ + '.wasm')).artifact.top == 'counter'\n"
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
