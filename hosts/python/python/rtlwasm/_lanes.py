"""Many models at once: one function in several lanes, each with a model and a seed of its own."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from .artifact import Artifact
from .errors import LaneError, OptionError

T = TypeVar("T")

_here = threading.local()
_shuffle: int | None = None
"""What `pytest --shuffle-lanes` has asked for."""


def lanes(
    count: int,
    function: Callable[..., T],
    design: Artifact | Callable[[int], Any],
    *args: Any,
    seed: int = 0,
    engine: str = "wasm",
    plusargs: Sequence[str] = (),
    shuffle: int | None = None,
) -> list[T]:
    """Run `function(model, *args)` in so many lanes, each in a thread of its own, and return what they return.

    design: an artifact; or a function that makes a lane's model of its seed, which is called in the lane.
    seed: every lane has a seed of its own that follows from this one and its number: `lane_seed()`. Models of an
        artifact are made with it, so that what the design leaves undefined differs from lane to lane when it was
        compiled with `undef="random"`.
    engine, plusargs: as for `Artifact.model`.
    shuffle: start the lanes in another order, which this number decides.

    Inside, `lane_id()` is the number of the lane, from 0, and `barrier()` waits for all lanes. With the environment
    variable `RTLWASM_SINGLE_THREAD=1` lanes run one after the other in the caller's thread, for debuggers; a `barrier`
    is an error then.

    An exception in a lane is raised here when all lanes have ended, with a note that names the lane and its seed, and
    with the attribute `lane`; of several the one of the lowest lane. Lanes that wait at a barrier meanwhile are ended.
    """
    if count < 0:
        raise OptionError(f"there cannot be {count} lanes")
    make = design
    if isinstance(design, Artifact):

        def make(seed: int) -> Any:
            return design.model(engine=engine, seed=seed, plusargs=plusargs)

    order = list(range(count))
    chosen = _shuffle if shuffle is None else shuffle
    if chosen is not None:
        random.Random(f"{chosen} {count}").shuffle(order)
    team = _Team(count, alone=os.environ.get("RTLWASM_SINGLE_THREAD", "0") not in {"", "0"})
    runs = [_Lane(team, number, _seed(seed, number), function, make, args) for number in range(count)]
    if team.alone:
        for number in order:
            runs[number].run()
            if runs[number].error is not None:
                break
    else:
        _run_threads([runs[number] for number in order], team)
    _raise_first(runs, None if chosen is None else order)
    return [run.result for run in runs]


def lane_id() -> int:
    """The number of the lane that calls this, from 0."""
    return _lane("lane_id()").number


def lane_count() -> int:
    """How many lanes there are."""
    return _lane("lane_count()").team.count


def lane_seed() -> int:
    """The seed of the lane that calls this, 64 bits."""
    return _lane("lane_seed()").seed


def barrier() -> None:
    """Wait until all lanes have come here.

    Raises `LaneError` when that cannot be: lanes run one after the other, or one has ended.
    """
    lane = _lane("barrier()")
    lane.team.wait(lane.number)


def _lane(what: str) -> _Lane:
    lane: _Lane | None = getattr(_here, "lane", None)
    if lane is None:
        raise LaneError(f"{what} is for functions that rtlwasm.lanes runs, and none is running in this thread")
    return lane


def _seed(seed: int, number: int) -> int:
    """Unlike those of other lanes and other seeds."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {number}".encode(), digest_size=8).digest(), "little")


class _BrokenError(LaneError):
    """The barrier of this lane was given up because another lane has failed."""


class _Team:
    """Lanes that wait for each other."""

    def __init__(self, count: int, *, alone: bool) -> None:
        self.count, self.alone = count, alone
        self._change = threading.Condition()
        self._waiting = 0
        self._round = 0
        self._ended: list[int] = []
        self._broken: LaneError | None = None

    def wait(self, number: int) -> None:
        if self.alone:
            raise LaneError(
                f"lane {number} is at a barrier, and RTLWASM_SINGLE_THREAD runs the lanes one after the other: none "
                "can wait for the others"
            )
        with self._change:
            if self._ended and self._broken is None:
                self._break(self._missed(self._ended[0]))
            self._waiting += 1
            here = self._round
            if self._waiting == self.count and self._broken is None:
                self._waiting = 0
                self._round += 1
                self._change.notify_all()
            while here == self._round:
                if self._broken is not None:
                    raise type(self._broken)(*self._broken.args)
                self._change.wait()

    def end(self, number: int, error: BaseException | None) -> None:
        """A lane is through; who waits for it waits for nothing."""
        with self._change:
            self._ended.append(number)
            if error is not None:
                self._break(_BrokenError(f"lane {number} has failed, and this one waits for it at a barrier"))
            elif self._waiting:
                self._break(self._missed(number))

    def _missed(self, number: int) -> LaneError:
        return LaneError(f"a lane waits at a barrier, and lane {number} has ended without coming there")

    def give_up(self) -> None:
        with self._change:
            self._break(_BrokenError("the caller was interrupted"))

    def _break(self, why: LaneError) -> None:
        if self._broken is None:
            self._broken = why
            self._change.notify_all()


class _Lane:
    """One call of the function."""

    def __init__(self, team: _Team, number: int, seed: int, function: Any, make: Any, args: Sequence[Any]) -> None:
        self.team, self.number, self.seed = team, number, seed
        self._call = (function, make, args)
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        function, make, args = self._call
        with self._current():
            try:
                self.result = function(make(self.seed), *args)
            except BaseException as error:
                if self.team.alone and not isinstance(error, Exception):
                    raise
                self.error = error
            finally:
                self.team.end(self.number, self.error)

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Lanes may run lanes of their own in the same thread."""
        before = getattr(_here, "lane", None)
        _here.lane = self
        try:
            yield
        finally:
            _here.lane = before


def _run_threads(runs: Sequence[_Lane], team: _Team) -> None:
    threads = [threading.Thread(target=run.run, name=f"lane {run.number}", daemon=True) for run in runs]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        team.give_up()
        raise


def _raise_first(runs: Sequence[_Lane], order: Sequence[int] | None) -> None:
    """The exception of the lowest lane that has failed by itself."""
    failed = [run for run in runs if run.error is not None]
    own = [run for run in failed if not isinstance(run.error, _BrokenError)] or failed
    if not own:
        return
    first = own[0]
    error = first.error
    assert error is not None
    note = f"in lane {first.number} of {len(runs)}, with the seed {first.seed:#x}"
    if order is not None:
        note += f"; the lanes were started in the order {', '.join(map(str, order))}"
    if others := [str(run.number) for run in own[1:]]:
        note += f"; lanes that failed, too: {', '.join(others)}"
    error.add_note(note)
    error.lane = first.number  # type: ignore[attr-defined]
    raise error
