"""Paths, scopes and their completion."""

from __future__ import annotations

import pytest
import rtlwasm
from rtlwasm import Model, Scope, Signal

NESTED = """
module \\leaf
  wire width 8 input 1 \\a
  wire width 8 output 2 \\y
  wire width 8 \\inverted
  cell $not $1
    parameter \\A_SIGNED 0
    parameter \\A_WIDTH 8
    parameter \\Y_WIDTH 8
    connect \\A \\a
    connect \\Y \\inverted
  end
  connect \\y \\inverted
end
module \\top
  wire width 8 input 1 \\a
  wire width 8 output 2 \\y
  wire width 8 \\between
  cell \\leaf \\first
    connect \\a \\a
    connect \\y \\between
  end
  cell \\leaf \\second
    connect \\a \\between
    connect \\y \\y
  end
end
"""


@pytest.fixture(scope="module")
def nested() -> Model:
    return rtlwasm.compile(NESTED, top="top").model()


def test_paths(nested: Model) -> None:
    nested.poke("a", 0x0F)
    nested.eval()
    assert nested["first.inverted"].value == 0xF0
    assert nested["top.first.inverted"].value == 0xF0
    assert nested[["second", "inverted"]].value == 0x0F
    assert nested["first"]["inverted"].path == ["first", "inverted"]
    assert "first.inverted" in nested
    assert "first" in nested
    assert nested["top.first"].name == "first"
    assert "third" not in nested


def test_attributes(nested: Model) -> None:
    nested.poke("a", 1)
    nested.eval()
    assert nested.top.first.inverted.value == 0xFE
    assert {"first", "second", "a", "y", "between"} <= set(dir(nested.top))
    with pytest.raises(AttributeError, match="frist"):
        nested.top.frist  # noqa: B018


def test_completion(nested: Model) -> None:
    keys = nested._ipython_key_completions_()
    assert {"a", "first", "first.inverted", "second.a"} <= set(keys)
    assert "inverted" in nested["first"]._ipython_key_completions_()


def test_iteration(nested: Model) -> None:
    top = nested.top
    assert [type(item) for item in top] == [Signal] * len(top.signals) + [Scope, Scope]
    assert [scope.name for scope in top.scopes] == ["first", "second"]
    assert {signal.name for signal in nested} >= {"a", "first.a", "second.inverted"}
    assert repr(top) == "Scope('top', 3 signals, 2 instances)"


def test_unknown_names(nested: Model) -> None:
    with pytest.raises(rtlwasm.UnknownNameError, match="did you mean `first.inverted`"):
        nested["first.invreted"]
    with pytest.raises(LookupError):
        nested["nowhere.at.all"]


def test_stripped_artifacts_keep_their_ports() -> None:
    model = rtlwasm.compile(NESTED, top="top", strip="ports").model()
    assert [port.name for port in model.ports] == [signal.name for signal in model] == ["a", "y"]


def test_a_value_is_not_given_to_a_signal(counter: Model) -> None:
    with pytest.raises(TypeError, match=r'write model\["en"\]\.value = '):
        counter["en"] = 1
    with pytest.raises(rtlwasm.UnknownNameError, match="did you mean `en`"):
        counter["enn"] = 1
    with pytest.raises(TypeError, match=r'write scope\["en"\]\.value = '):
        counter.top["en"] = 1
    with pytest.raises(AttributeError, match=r"write scope\.en\.value = "):
        counter.top.en = 1
    with pytest.raises(AttributeError, match=r'write model\["en"\]\.value = '):
        counter.en = 1
    with pytest.raises(AttributeError, match=r'are model\["en"\] or model\.top\.en'):
        counter.en  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        counter.nothing  # noqa: B018
    counter.note = "of the user's own"
    assert (counter.note, counter["en"].value, hasattr(counter, "__wrapped__")) == ("of the user's own", 0, False)
