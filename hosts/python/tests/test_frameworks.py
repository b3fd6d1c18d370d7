"""Amaranth and Torii designs: through their own writers, with their ports, resets and order of clocks."""

import pytest
import rtlwasm


def test_amaranth_component() -> None:
    pytest.importorskip("amaranth")
    from amaranth.hdl import Module
    from amaranth.lib import wiring
    from amaranth.lib.wiring import In, Out

    class Counter(wiring.Component):
        en: In(1)
        count: Out(12)

        def elaborate(self, platform: object) -> Module:
            m = Module()
            with m.If(self.en):
                m.d.sync += self.count.eq(self.count + 3)
            return m

    artifact = rtlwasm.compile(Counter(), top="tripler")
    assert artifact.top == "tripler"
    assert artifact.manifest["clock_order"] == "delta"
    model = artifact.model()
    model["en"].value = 1
    model.step(2000)
    assert model["count"].value == 6000 % 4096
    model.hold_reset("rst")
    assert model["count"].value == 0


def test_amaranth_elaboratable_needs_ports() -> None:
    pytest.importorskip("amaranth")
    from amaranth.hdl import Elaboratable, Module, Signal

    class Sum(Elaboratable):
        def __init__(self) -> None:
            self.a = Signal(8)
            self.b = Signal(8)
            self.y = Signal(9)

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.submodules.inner = inner = Module()
            inner.d.comb += self.y.eq(self.a + self.b)
            return m

    design = Sum()
    with pytest.raises(rtlwasm.OptionError, match="give them as ports"):
        rtlwasm.compile(design)
    model = rtlwasm.compile(design, ports=[design.a, design.b, design.y]).model()
    model.poke("a", 200)
    model.poke("b", 100)
    model.eval()
    assert model.peek("y") == 300


def test_torii_elaboratable_and_fragment() -> None:
    pytest.importorskip("torii")
    from torii.hdl import Elaboratable, Module, Signal
    from torii.hdl.ir import Fragment

    class Counter(Elaboratable):
        def __init__(self) -> None:
            self.en = Signal()
            self.count = Signal(8)

        def elaborate(self, platform: object) -> Module:
            m = Module()
            with m.If(self.en):
                m.d.sync += self.count.eq(self.count + 1)
            return m

    design = Counter()
    ports = [design.en, design.count]
    with pytest.raises(rtlwasm.OptionError, match="give them as ports"):
        rtlwasm.compile(design)
    for source in (design, Fragment.get(Counter.elaborate(design, None), None)):
        model = rtlwasm.compile(source, top="counter", ports=ports).model()
        model["en"].value = 1
        model.step(300)
        assert model["count"].value == 300 % 256
