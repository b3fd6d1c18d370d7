"""Every operator and every target of an assignment; `hdl` is the module of a language."""


def expressions(hdl, a, b, c, s):
    """Values of every operator, of signed and unsigned operands."""
    for x in (a, b, s):
        yield from (~x, -x, x.any(), x.all(), x.xor(), x.bool(), x[0], x[1:3], x[-1], hdl.Cat(x, x), x.rotate_left(2))
        yield from (x.as_signed(), x.as_unsigned(), abs(x), x.shift_left(2), x.shift_right(1), x << c, x >> c)
        yield from (x.bit_select(c, 2), x.word_select(c, 3), x.replicate(3))
        yield from (hdl.Mux(c, x, s), hdl.Array([a, b, s, x])[c])
        for y in (a, b, s):
            yield from (x + y, x - y, x * y, x & y, x | y, x ^ y, x // y, x % y)
            yield from (x == y, x != y, x < y, x <= y, x > y, x >= y)


WIDTHS = [(1, 1, 1), (8, 3, 5), (16, 16, 16), (32, 31, 33), (64, 64, 64), (64, 65, 63), (100, 70, 130)]
"""Widths of `a`, `b` and `s`."""


def targets(hdl, a, s, c, i):
    """What can be assigned to."""
    cat, array = hdl.Cat, hdl.Array
    yield from (a, s, a[2:5], a[0], a[-3:], s[1:], cat(a[0:3], s, a[3:]), s.as_unsigned(), a.as_signed())
    yield from (a.bit_select(c, 3), a.word_select(c, 2), s.bit_select(i, 2), array([a, s])[c[0]], array([a, s, a])[c])
    yield from (array([a[0:4], s])[i], cat(a, s).bit_select(i, 5), cat(a, s)[3:].word_select(i, 3))
    yield cat(array([a, s])[c], a[0:2])


TARGETS = 18
"""How many those are."""


def nest(hdl, m, a, b, out, held):
    """Statements inside each other, the later of which win, and patterns of several kinds."""
    m.d.comb += out.eq(3)
    with m.Switch(a):
        with m.Case(1, 2, 5):
            m.d.comb += out.eq(b)
            with m.If(b[0]):
                m.d.comb += out[0:2].eq(0)
            m.d.comb += out[7].eq(1)
        with m.Case("1--0"):
            m.d.sync += held.eq(held + b)
        with m.Case("0-11", 8):
            m.d.sync += held.eq(b)
            m.d.comb += out.eq(hdl.Mux(b > a, 17, 34))
        with m.Default():
            m.d.sync += held[0:4].eq(a)
    with m.If(a == 15):
        m.d.sync += held.eq(0)
    with m.Elif(b == 15):
        m.d.sync += held.eq(255)
