"""What cocotb sees of a design: instances, signals, rows of memories, single bits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .._native import Signal
from ..hierarchy import Tree
from . import _constants as c

if TYPE_CHECKING:
    from ._kernel import Kernel

_ELEMENT = re.compile(r"(.*)\[(-?\d+)\]")
_UNDEFINED = str.maketrans("XZUWLHxzuwlh-", "0000010000010")


class Object:
    """Anything with a name. There is one object for each, so that equality is identity."""

    def __init__(self, kernel: Kernel, name: str, kind: int) -> None:
        """An object of a kernel's design."""
        self.kernel = kernel
        self.name = name
        self.kind = kind

    def get_type(self) -> int:
        return self.kind

    def get_type_string(self) -> str:
        return c.TYPE_NAMES[self.kind]

    def get_name_string(self) -> str:
        return self.name

    def get_definition_name(self) -> str:
        return ""

    def get_definition_file(self) -> str:
        return ""

    def get_const(self) -> bool:
        return False

    def get_indexable(self) -> bool:
        return False

    def get_num_elems(self) -> int:
        return 1

    def get_range(self) -> tuple[int, int, int]:
        return 0, 0, c.RANGE_NO_DIR

    def get_handle_by_name(self, name: str, discovery: object = None) -> Object | None:
        return None

    def get_handle_by_index(self, index: int) -> Object | None:
        return None

    def iterate(self, mode: int) -> Iterator[Object]:
        return iter(())


class Scope(Object):
    """An instance or a generate block."""

    def __init__(self, kernel: Kernel, name: str, tree: Tree) -> None:
        """The instance with these names below it."""
        super().__init__(kernel, name, c.MODULE)
        self._tree = tree
        self._found: dict[str, Object | None] = {}
        elements = [match for match in map(_ELEMENT.fullmatch, tree.scopes) if match]
        self._arrays = dict.fromkeys(match[1] for match in elements)

    def get_definition_name(self) -> str:
        return self.name if self is self.kernel.root else ""

    def get_handle_by_name(self, name: str, discovery: object = None) -> Object | None:
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> Object | None:
        tree = self._tree
        if len(name) > 1 and name[0] == name[-1] == "\\":
            name = name[1:-1]
        if name in tree.signals:
            return made(self.kernel, self.kernel.model.signal(tree.signals[name]), name)
        if name in tree.scopes:
            return Scope(self.kernel, name, tree.scopes[name])
        if name in self._arrays:
            return Blocks(self, name)
        return None

    def indices(self, array: str) -> list[int]:
        """Those of an array of generate blocks."""
        matches = [match for match in map(_ELEMENT.fullmatch, self._tree.scopes) if match]
        return sorted(int(match[2]) for match in matches if match[1] == array)

    def iterate(self, mode: int) -> Iterator[Object]:
        if mode != c.OBJECTS:
            return
        blocks = [name for name in self._tree.scopes if not _ELEMENT.fullmatch(name)]
        for name in [*self._tree.signals, *blocks, *self._arrays]:
            if found := self.get_handle_by_name(name):
                yield found


class Blocks(Object):
    """An array of generate blocks."""

    def __init__(self, scope: Scope, name: str) -> None:
        """Those of one instance."""
        super().__init__(scope.kernel, name, c.GENARRAY)
        self._scope = scope
        self._indices = scope.indices(name)

    def get_indexable(self) -> bool:
        return True

    def get_num_elems(self) -> int:
        return len(self._indices)

    def get_range(self) -> tuple[int, int, int]:
        return self._indices[0], self._indices[-1], c.RANGE_UP

    def get_handle_by_index(self, index: int) -> Object | None:
        return self._scope.get_handle_by_name(f"{self.name}[{index}]")

    def iterate(self, mode: int) -> Iterator[Object]:
        found = (self.get_handle_by_index(index) for index in self._indices)
        return (block for block in found if block)


class Value(Object):
    """A number in the design, that can be read and perhaps written."""

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        signal: Signal,
        read: Callable[[], int],
        poke: Callable[[int], None],
        width: int,
        bounds: tuple[int, int] | None,
    ) -> None:
        """The number that `read` reads; without bounds it is a single bit."""
        array = c.PACKED if kernel.has_packed else c.LOGIC_ARRAY
        super().__init__(kernel, name, c.LOGIC if bounds is None else array)
        self.signal = signal
        self.read = read
        self.poke = poke
        self.width = width
        self.forced = False
        self._bounds = bounds
        self._bits: dict[int, Value] = {}

    def get_signed(self) -> int:
        return int(self.signal.signed)

    def get_indexable(self) -> bool:
        return self._bounds is not None

    def get_num_elems(self) -> int:
        return self.width

    def get_range(self) -> tuple[int, int, int]:
        if self._bounds is None:
            return super().get_range()
        left, right = self._bounds
        return left, right, c.RANGE_DOWN if left >= right else c.RANGE_UP

    def get_handle_by_index(self, index: int) -> Value | None:
        if self._bounds is None or not min(self._bounds) <= index <= max(self._bounds):
            return None
        if index not in self._bits:
            self._bits[index] = self._bit(index)
        return self._bits[index]

    def _bit(self, index: int) -> Value:
        left, right = self._bounds or (0, 0)
        place = index - right if left >= right else right - index

        def poke(value: int) -> None:
            self.poke(self.read() & ~(1 << place) | value << place)

        name = f"{self.name}[{index}]"
        return Value(self.kernel, name, self.signal, lambda: self.read() >> place & 1, poke, 1, None)

    def get_signal_val_binstr(self) -> str:
        return f"{self.read():0{self.width}b}"

    def get_signal_val_long(self) -> int:
        value = self.read()
        return value - (1 << self.width) if self.signal.signed and value >> (self.width - 1) else value

    @property
    def set_signal_val_int(self) -> Callable[[int, int], None]:
        """Writes a number. A property, since cocotb may call it later: who cannot write is told at once."""
        self._check_writable()
        return self._set_int

    @property
    def set_signal_val_binstr(self) -> Callable[[int, str], None]:
        """Writes digits; the same."""
        self._check_writable()
        return self._set_digits

    def _check_writable(self) -> None:
        if not self.signal.writable:
            self.poke(0)  # tells why not

    def _set_int(self, action: int, value: int) -> None:
        self.kernel.write(self, action, value & ((1 << self.width) - 1))

    def _set_digits(self, action: int, value: str) -> None:
        if set(value) - set("01LHlh"):
            self.kernel.undefined(self)
        self.kernel.write(self, action, int(value.translate(_UNDEFINED), 2))


class Memory(Object):
    """An array of numbers."""

    def __init__(self, kernel: Kernel, name: str, signal: Signal) -> None:
        """A memory of the design."""
        super().__init__(kernel, name, c.NETARRAY)
        self._signal = signal
        self._rows: dict[int, Value] = {}
        self._first, self._last = signal.first_row, signal.first_row + signal.depth - 1

    def get_indexable(self) -> bool:
        return True

    def get_num_elems(self) -> int:
        return self._signal.depth

    def get_range(self) -> tuple[int, int, int]:
        return self._first, self._last, c.RANGE_UP

    def get_handle_by_index(self, index: int) -> Value | None:
        if not self._first <= index <= self._last:
            return None
        if index not in self._rows:
            self._rows[index] = self._row(index)
        return self._rows[index]

    def _row(self, index: int) -> Value:
        signal = self._signal
        bounds = None if signal.width == 1 else signal.bounds

        def poke(value: int) -> None:
            signal[index] = value

        return Value(self.kernel, f"{self.name}[{index}]", signal, lambda: signal[index], poke, signal.width, bounds)


def made(kernel: Kernel, signal: Signal, name: str) -> Object | None:
    """The object of a signal; a signal without bits is none."""
    if signal.width == 0:
        return None
    if signal.depth:
        return Memory(kernel, name, signal)

    def poke(value: int) -> None:
        signal.value = value

    bounds = None if signal.width == 1 else signal.bounds
    return Value(kernel, name, signal, lambda: signal.value, poke, signal.width, bounds)
