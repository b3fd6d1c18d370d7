"""The hierarchy of a design: instances as nested scopes, signals and memories as their leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ._native import Signal
from .errors import UnknownNameError

if TYPE_CHECKING:
    from .model import Model


class Tree:
    """The names below one instance. A name may be both a signal and an instance."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.signals: dict[str, Sequence[str]] = {}
        self.scopes: dict[str, Tree] = {}

    @classmethod
    def of(cls, paths: Sequence[Sequence[str]]) -> Tree:
        """The tree of all paths."""
        top = cls()
        for path in paths:
            tree = top
            for name in path[:-1]:
                tree = tree.scopes.setdefault(name, cls())
            tree.signals[path[-1]] = path
        return top

    def find(self, path: str) -> Tree | None:
        """The instance of a path joined with dots; names may hold dots themselves."""
        if path in self.scopes:
            return self.scopes[path]
        for name, tree in self.scopes.items():
            if path.startswith(name + ".") and (found := tree.find(path[len(name) + 1 :])):
                return found
        return None

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every signal and instance below, joined with dots."""
        for name in self.signals:
            yield prefix + name
        for name, tree in self.scopes.items():
            yield prefix + name
            yield from tree.keys(f"{prefix}{name}.")


class Scope:
    """An instance in the design: `scope["regs"]` is a signal, `scope["alu"]` an instance below.

    Names that are Python identifiers work as attributes, too: `model.top.cpu.regs`; `name`, `signals`, `scopes` and
    `walk` are taken. Iteration gives the signals, then the instances.
    """

    def __init__(self, model: Model, tree: Tree, path: str) -> None:
        """For the package's own use: see `Model.top` and `Model.__getitem__`."""
        self._model = model
        self._tree = tree
        self._path = path

    @property
    def name(self) -> str:
        """The path joined with dots; empty for the top module."""
        return self._path

    @property
    def signals(self) -> list[Signal]:
        """Signals and memories of this instance itself."""
        return [self._model.signal(path) for path in self._tree.signals.values()]

    @property
    def scopes(self) -> list[Scope]:
        """Instances directly below."""
        return [self._below(name) for name in self._tree.scopes]

    def _below(self, name: str) -> Scope:
        return Scope(self._model, self._tree.scopes[name], f"{self._path}.{name}" if self._path else name)

    def __getitem__(self, name: str) -> Any:
        """The signal, memory or instance of that name; several names may be joined with dots."""
        if name in self._tree.signals:
            return self._model.signal(self._tree.signals[name])
        if name in self._tree.scopes:
            return self._below(name)
        return self._model[f"{self._path}.{name}" if self._path else name]

    def __getattr__(self, name: str) -> Any:
        """The same as an attribute."""
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except UnknownNameError as error:
            raise AttributeError(str(error)) from None

    def __setitem__(self, name: str, value: object) -> None:
        """Refused: a signal is not its value."""
        self[name]  # what does not exist is told first
        raise TypeError(f'a signal is not its value: write scope["{name}"].value = ...')

    def __setattr__(self, name: str, value: object) -> None:
        """Refused, too."""
        if not name.startswith("_"):
            raise AttributeError(f"a signal is not its value: write scope.{name}.value = ...")
        super().__setattr__(name, value)

    def __contains__(self, name: str) -> bool:
        """Whether there is a signal or an instance of that name directly below."""
        return name in self._tree.signals or name in self._tree.scopes

    def __iter__(self) -> Iterator[Signal | Scope]:
        """Signals, then instances."""
        yield from self.signals
        yield from self.scopes

    def walk(self) -> Iterator[Signal]:
        """Every signal and memory here and below."""
        yield from self.signals
        for scope in self.scopes:
            yield from scope.walk()

    def __dir__(self) -> list[str]:
        """Completion."""
        names = [*self._tree.signals, *self._tree.scopes]
        return [*super().__dir__(), *(name for name in names if name.isidentifier())]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tree.keys())

    def __repr__(self) -> str:
        """Tell what is in it."""
        count, below = len(self._tree.signals), len(self._tree.scopes)
        return f"Scope({self._path or self._model.artifact.top!r}, {count} signals, {below} instances)"
