"""Views of memory without a copy: they show every change, they outlive the model's name, what they write is seen."""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import rtlwasm
from rtlwasm import Model


def test_a_view_shows_every_change(counter: Model) -> None:
    array, view = counter["count"].array(), counter["count"].view()
    counter.poke("en", 1)
    counter.step(7)
    assert (array[0], view[0], array.dtype, array.shape) == (7, 7, np.uint8, (1,))
    counter.reset()
    assert view[0] == 0


def test_views_keep_the_model_alive(counter_artifact: rtlwasm.Artifact) -> None:
    model = counter_artifact.model()
    model["ram"][5] = 0x1234
    array = model["ram"].array()
    view = model["ram"].view()
    del model
    gc.collect()
    for _ in range(20):
        counter_artifact.model().step(100)
    assert (array[5], view[5]) == (0x1234, 0x1234)


def test_shapes(counter: Model) -> None:
    assert counter["ram"].array().shape == (16,)
    assert counter["ram"].array().dtype == np.uint16
    counter["shifter"].value = 2**64 + 5
    wide = counter["shifter"].array()
    assert (wide.dtype, wide.tolist()) == (np.uint64, [5, 1])
    assert counter["addr"].view().format == "B"


def test_views_are_read_only_unless_asked(counter: Model) -> None:
    array = counter["ram"].array()
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    with pytest.raises(TypeError):
        counter["ram"].view()[0] = 1
    with pytest.raises(rtlwasm.NotWritableError, match="`count` cannot be written"):
        counter["count"].array(writable=True)


def test_what_is_written_is_taken_in(counter: Model) -> None:
    ram = counter["ram"].array(writable=True)
    ram[:] = np.arange(16) * 3
    counter.poke("addr", 5)
    counter.eval()
    assert counter["word"].value == 15
    with counter["shifter"].view(writable=True) as shifter:
        shifter[0] = 77
    counter.eval()
    assert counter["wide"].value == 77


def test_bits_above_the_width_are_cut(counter: Model) -> None:
    addr = counter["addr"].array(writable=True)
    addr[0] = 0xF3
    assert counter["addr"].value == 3
    addr[0] = 0xFF
    del addr
    counter.eval()
    assert counter["addr"].value == 15
    clean = counter.snapshot()
    shifter = counter["shifter"].array(writable=True)
    high = shifter[1]
    shifter[1] = high | np.uint64(1 << 63)
    assert counter.snapshot() == clean


def test_computed_signals_have_views_too(counter: Model) -> None:
    array = counter["next"].array()
    counter.poke("en", 1)
    for expected in (2, 3, 4):
        counter.step()
        assert array[0] == expected
    counter.restore(counter.artifact.model().snapshot())
    assert array[0] == 1
    with pytest.raises(rtlwasm.NotWritableError):
        counter["next"].view(writable=True)


COMPUTED = """
module \\top
  wire input 1 \\clk
  wire width 8 input 2 \\d
  wire width 8 output 3 \\q
  wire width 8 \\plus
  wire width 8 \\state
  wire width 8 $sum
  connect \\plus $sum
  connect \\q \\state
  cell $add $a
    parameter \\A_SIGNED 0
    parameter \\A_WIDTH 8
    parameter \\B_SIGNED 0
    parameter \\B_WIDTH 8
    parameter \\Y_WIDTH 8
    connect \\A \\state
    connect \\B 8'00000011
    connect \\Y $sum
  end
  cell $dff $r
    parameter \\CLK_POLARITY 1'1
    parameter \\WIDTH 8
    connect \\CLK \\clk
    connect \\D \\d
    connect \\Q \\state
  end
end
"""


def test_a_computed_signal_follows_writes_through_views() -> None:
    model = rtlwasm.compile(COMPUTED).model()
    assert model["plus"].value == 3
    plus, state = model["plus"].array(), model["state"].array(writable=True)
    state[0] = 9
    assert model["plus"].value == 12
    model["state"].value = 20
    assert (plus[0], state[0]) == (23, 20)


SHARED = """
module \\top
  wire input 1 \\clk
  wire width 8 input 2 \\d
  wire width 5 output 3 \\low
  wire width 3 $high
  wire output 4 \\p
  wire width 5 \\state
  wire width 9 output 5 \\ten
  connect \\low \\state
  connect \\ten 9'000001010
  cell $reduce_xor $x
    parameter \\A_SIGNED 0
    parameter \\A_WIDTH 3
    parameter \\Y_WIDTH 1
    connect \\A $high
    connect \\Y \\p
  end
  cell $dff $r
    parameter \\CLK_POLARITY 1'1
    parameter \\WIDTH 8
    connect \\CLK \\clk
    connect \\D \\d
    connect \\Q { $high \\state }
  end
end
"""


def test_signals_that_share_a_byte_with_others() -> None:
    model = rtlwasm.compile(SHARED).model()
    low, state, ten = model["low"].array(), model["state"].array(writable=True), model["ten"].array()
    model["d"].value = 0xFF
    model.step()
    assert (low.tolist(), low.dtype, ten.tolist(), ten.dtype) == ([0x1F], np.uint8, [10], np.uint16)
    parity = model["p"].value
    state[0] = 0xE2
    model.eval()
    assert (model["state"].value, state[0], low[0], model["p"].value) == (2, 2, 2, parity)
    with model["state"].view(writable=True) as view:
        view[0] = 9
    model.eval()
    assert model["low"].value == 9
    model["state"].value = 7
    assert state[0] == 7
    state[0] = 9
    model.restore(model.artifact.model().snapshot())
    assert (low[0], state[0]) == (0, 0)


def test_arrays_work_with_numpy(counter: Model) -> None:
    ram = counter["ram"].array(writable=True)
    ram += np.uint16(2)
    assert int(ram.sum()) == 32
    assert bytes(counter["ram"].view()[:2]) == b"\2\0\2\0"
    assert memoryview(counter["ram"].array()).readonly


def test_many_views(counter: Model) -> None:
    views = [counter["ram"].array(writable=True) for _ in range(50)]
    views[30][1] = 5
    del views
    gc.collect()
    counter.step(10)
    assert counter["ram"][1] == 5


def sleeping_design(parts: int = 16, cells: int = 80) -> str:
    """Many instances that rest while their register is zero: large enough for the compiler to let them sleep."""
    lines = ["module \\part", "wire input 1 \\clk", "wire width 32 output 2 \\y"]
    lines += ["attribute \\init 32'" + "0" * 32, "wire width 32 \\r", "connect \\y \\r"]
    last = "\\r"
    for i in range(cells):
        lines += [f"wire width 32 $w{i}", f"cell {('$xor', '$add')[i % 2]} $c{i}"]
        lines += [f"parameter \\{port}_SIGNED 0" for port in "AB"]
        lines += [f"parameter \\{port}_WIDTH 32" for port in "ABY"]
        lines += [f"connect \\A {last}", f"connect \\Y $w{i}"]
        lines += [f"connect \\B {{ \\r [{i % 31}:0] \\r [31:{i % 31 + 1}] }}", "end"]
        last = f"$w{i}"
    lines += ["cell $dff $d", "parameter \\CLK_POLARITY 1'1", "parameter \\WIDTH 32"]
    lines += ["connect \\CLK \\clk", f"connect \\D {last}", "connect \\Q \\r", "end", "end"]
    lines += ["module \\top", "wire input 1 \\clk"]
    for i in range(parts):
        lines += [f"wire width 32 output {i + 2} \\y{i}", f"cell \\part \\p{i}"]
        lines += ["connect \\clk \\clk", f"connect \\y \\y{i}", "end"]
    return "\n".join([*lines, "end", ""])


def test_a_write_through_a_view_wakes_what_sleeps() -> None:
    artifact = rtlwasm.compile(sleeping_design(), top="top")

    def after(write: Callable[[rtlwasm.Signal], object]) -> int:
        model = artifact.model()
        model.step(200)
        kept = write(model["p3.r"])
        model.step(10)
        del kept
        return int(model["y3"].value)

    def poke(register: rtlwasm.Signal) -> None:
        register.value = 5

    def view_that_is_gone(register: rtlwasm.Signal) -> None:
        register.view(writable=True)[0] = 5

    def view_that_lives(register: rtlwasm.Signal) -> object:
        array = register.array(writable=True)
        array[0] = 5
        return array

    def behind_the_models_back(register: rtlwasm.Signal) -> None:
        ctypes.c_uint32.from_address(register.array().ctypes.data).value = 5

    expected = after(poke)
    assert after(view_that_is_gone) == after(view_that_lives) == expected
    # Only this shows that something was asleep.
    assert after(behind_the_models_back) == 5 != expected


def test_models_in_cycles_of_references_are_freed(counter_artifact: rtlwasm.Artifact) -> None:
    class Mine(Model):
        pass

    model = Mine(counter_artifact)
    model.count = model["count"]
    model.on_event(lambda event, model=model: None)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
