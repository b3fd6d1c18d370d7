"""Tables of inputs and outputs, and waves."""

from __future__ import annotations

import numpy as np
import pytest
import rtlwasm
from rtlwasm import Model


def test_a_table_in_a_wave_out(counter: Model) -> None:
    wave = counter.play({"en": [1, 0, 1, 1], "rst": 0}, ["count", "wide"])
    assert wave["count"].tolist() == [1, 1, 2, 3]
    assert (wave["count"].dtype, wave["wide"].shape, wave["wide"].dtype) == (np.uint8, (4, 2), np.uint64)
    assert (wave.cycles, len(wave), list(wave)) == (4, 2, ["count", "wide"])
    assert wave.ints("wide") == [2, 2, 4, 8]
    assert wave.run.cycles == 4


def test_structured_arrays(counter: Model) -> None:
    table = np.zeros(5, dtype=[("en", "u1"), ("addr", "i8")])
    table["en"] = 1
    table["addr"] = [0, 1, 2, -1, 4]
    out = counter.play(table).to_numpy()
    assert out.dtype.names == ("count", "word", "wide")
    assert out["count"].tolist() == [1, 2, 3, 4, 5]
    assert counter["addr"].value == 4


def test_a_table_is_the_same_as_single_calls(counter: Model) -> None:
    random = np.random.default_rng(7)
    table = {"en": random.integers(0, 2, 300), "rst": random.random(300) < 0.02, "addr": random.integers(5, 16, 300)}
    twin = counter.fork()
    wave = counter.play(table)
    for row in range(300):
        for name, column in table.items():
            twin.poke(name, int(column[row]))
        twin.step()
        assert twin["count"].value == wave["count"][row]
        assert twin["wide"].value == wave.ints("wide")[row]
    assert twin.snapshot() == counter.snapshot()


def test_wide_columns(counter: Model) -> None:
    counter.play({"shifter": [3, 2**99, -1]}, [])
    assert counter["shifter"].value == (1 << 100) - 1
    limbs = np.array([[1, 2], [5, 6]], dtype=np.uint64)
    counter.play({"shifter": limbs}, [])
    assert counter["shifter"].value == 5 + (6 << 64)


def test_ints_beyond_both_integer_types_of_numpy(counter: Model) -> None:
    assert counter.play({"shifter": [1, 2**63]}, ["shifter"]).cycles == 2
    with pytest.raises(rtlwasm.ValueRangeError, match="row 1"):
        counter.play({"en": [1, 2**63]})


@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        ({"en": [0, 2]}, rtlwasm.ValueRangeError, "row 1: 2 does not fit `en`"),
        ({"addr": [0, -9]}, rtlwasm.ValueRangeError, "row 1: -9 does not fit `addr`"),
        ({"shifter": [1 << 100]}, rtlwasm.ValueRangeError, "row 0"),
        ({"shifter": np.array([[0, 1 << 40]], dtype=np.uint64)}, rtlwasm.ValueRangeError, "width is 100"),
        ({"en": [0.5]}, rtlwasm.ShapeError, "takes integers"),
        ({"en": [[0, 1]]}, rtlwasm.ShapeError, "shape is"),
        ({"en": [0, 1], "rst": [0]}, rtlwasm.ShapeError, "as many rows"),
        ({"en": 1}, rtlwasm.ShapeError, "how many cycles"),
        ({"enn": [1]}, rtlwasm.UnknownNameError, "did you mean `en`"),
        ([1, 2], rtlwasm.ShapeError, "a table is"),
        ({"en": np.array(1)}, rtlwasm.ShapeError, "how many cycles"),
        ({"shifter": [[1, 2**70]]}, rtlwasm.ShapeError, "shape is"),
        ({"shifter": [1, None]}, rtlwasm.ShapeError, "row 1: `shifter` takes integers, and not NoneType"),
    ],
)
def test_bad_tables_run_nothing(counter: Model, table: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        counter.play(table)
    assert counter.time == 0


def test_columns_of_objects_and_data_frames(counter: Model) -> None:
    class Frame:
        """As much of a data frame as is used."""

        columns = ("en", "shifter")

        def __getitem__(self, name: str) -> np.ndarray:
            return np.array([np.uint8(1), 1], dtype=object) if name == "en" else np.array([2**99, np.int64(-1)])

    assert counter.play(Frame(), ["count"])["count"].tolist() == [1, 2]
    assert counter["shifter"].value == (1 << 100) - 1
    assert counter.play({"en": np.array(0)}, ["count"], cycles=2)["count"].tolist() == [2, 2]


def test_a_column_for_what_cannot_be_written(counter: Model) -> None:
    with pytest.raises(rtlwasm.NotWritableError):
        counter.play({"count": [1]})
    with pytest.raises(rtlwasm.ShapeError):
        counter.play({"ram": [1]})
    with pytest.raises(rtlwasm.ShapeError):
        counter.play({"en": [1]}, "ram")
    assert (counter.time, counter["en"].value) == (0, 0)


def test_a_table_ends_with_finish(counter: Model) -> None:
    wave = counter.play({"en": 1, "addr": 1}, cycles=1000)
    assert (wave.run.status, wave.cycles, int(wave["count"][-1])) == ("finish", 201, 201)


def test_trace(counter: Model) -> None:
    counter.poke("en", 1)
    wave = counter.trace(cycles=6)
    assert list(wave) == ["rst", "en", "addr", "count", "word", "wide"]
    assert wave.lines()[:2] == [
        "0 rst=0 en=1 addr=0 count=01 word=0000 wide=0000000000000000000000002",
        "1 count=02 wide=0000000000000000000000004",
    ]
    assert repr(counter.trace("count", 2)) == "Wave(2 cycles of count)"


def test_empty_tables(counter: Model) -> None:
    wave = counter.play({"en": []})
    assert (wave.cycles, wave["count"].shape) == (0, (0,))
    assert "<svg" in wave.svg()


def test_pictures(counter: Model) -> None:
    import xml.dom.minidom

    counter.poke("en", 1)
    wave = counter.trace(["en", "count", "wide"], cycles=60)
    xml.dom.minidom.parseString(wave.svg())
    assert "the first 48 of 60 cycles" in wave._repr_html_()
    assert wave.svg(0, 4) != wave.svg(4, 8)
