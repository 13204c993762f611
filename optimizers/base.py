"""The contract of an optimizer: ask, tell, recommend, for R seeds at once.

Public arrays lead with the seed axis and are C-contiguous. Inside, seeds come last: every formula is then elementwise
over seeds and every sum runs over leading axes, in the same order however many seeds there are, which makes a seed's
run the same to the last bit alone or in a crowd. Only a single column would be summed in another order, so a single
seed is run as two equal columns, of which the second is dropped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizers.streams import Streams
from search_spaces.errors import ArenaError, OrdinalsUnsupported
from search_spaces.space import Ints, SearchSpace

Floats = NDArray[np.float64]
State = dict[str, Any]


class SearchMethod:
    """What all search methods tell of themselves, be they asked and told or led by gradients.

    Attributes:
        version: raised when the numbers of the optimizer change, so that old results are not mistaken for new ones.
        stream_name: optimizers of the same stream name share their random streams: settings of one mechanism.
        recommends: what ``recommend`` gives, in a word or two for tables: "best seen" if it is always the best seen.
        citation: where it is from.
        package: the package of others that its numbers come from, whose version is part of a result's identity.
    """

    version: ClassVar[int] = 1
    stream_name: ClassVar[str] = ""
    recommends: ClassVar[str] = "recommended"
    citation: ClassVar[str] = ""
    package: ClassVar[str] = ""


class Optimizer(SearchMethod, ABC):
    """A search method on ``space`` that runs R seeds side by side.

    A subclass writes ``_ask``, ``_tell``, ``_recommend``, ``_state`` and ``_load``, in arrays whose last axis is the
    column of a seed (``self.columns`` of them), and draws only from ``self.streams``. How much it draws in a step
    must not depend on what a seed has seen.

    Args:
        space: what is searched.
        seeds: R different seeds.
        stream: what the random streams depend on besides the seed and the optimizer; the harness gives the benchmark.

    Attributes:
        replayable: whether ``tell`` takes steps that were recorded elsewhere.
        categorical_only: whether it has no use for ordinals; the constructor then refuses spaces that have some.
        most_seeds: how many seeds run well side by side. A shard of a study holds no more, and ``check_optimizer``
            tries no more, and fewer steps where they are fewer than a hundred or so: such a class is slow.
        histories: the parts of the state that grow: they hold a row for every evaluation that was told.

    Raises:
        OrdinalsUnsupported: for a space with ordinals, where ``categorical_only``.
        ArenaError: for seeds that are not different integers from 0 on.
    """

    replayable: bool = False
    categorical_only: ClassVar[bool] = False
    most_seeds: ClassVar[int] = 512
    histories: ClassVar[tuple[str, ...]] = ()

    def __init__(self, space: SearchSpace, seeds: Iterable[int], *, stream: str | int = 0) -> None:
        if self.categorical_only and space.ordinal.any():
            names = ", ".join(space.variables[v].name for v in np.flatnonzero(space.ordinal))
            raise OrdinalsUnsupported(
                f"{type(self).__name__} takes categorical variables only, and this space has the ordinals {names}; "
                "search it with ordinals=categorical where the benchmark offers it"
            )
        self.space = space
        self.seeds = tuple(int(seed) for seed in seeds)
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ArenaError(f"seeds must be one or more different integers from 0 on, not {list(self.seeds)[:8]}")
        self.columns = max(len(self.seeds), 2)
        self._key = (self.stream_name or type(self).__name__, stream)
        self.streams = self._make_streams("ask")
        self._asked: Ints | None = None
        self._sound: set[str] = set()  # the methods of the subclass whose arrays were found to be as they must

    def ask(self) -> Ints:
        """The next architectures to evaluate: int64 [R, B, V]. B may change from step to step.

        Raises:
            ArenaError: when the last ones were not told yet.
        """
        if self._asked is not None:
            raise ArenaError("ask() was called twice; tell() the losses of the last architectures first")
        archs = self._ask()
        if "_ask" not in self._sound:
            self._must_be_sound("_ask", archs, "B", len(self.space), self.columns)
        self._asked = self._outward(archs)
        return self._asked.copy()

    def tell(self, archs: ArrayLike, losses: ArrayLike) -> None:
        """Takes the losses of exactly the architectures that were asked, in their order.

        A replayable optimizer also takes, when nothing is asked, architectures of its own or another run.

        Args:
            archs: int [R, B, V].
            losses: float [R, B], lower is better; NaN counts as +inf, the worst.

        Raises:
            ArenaError: for other architectures than asked, or wrong shapes.
        """
        archs, losses = np.asarray(archs), np.asarray(losses, dtype=np.float64)
        if self._asked is None:
            if not self.replayable:
                raise ArenaError("tell() without ask(): this optimizer takes only the architectures that it asked for")
            if archs.ndim != 3 or archs.shape[0] != len(self.seeds) or archs.shape[2] != len(self.space):
                raise ArenaError(f"archs must be [{len(self.seeds)}, B, {len(self.space)}], not {list(archs.shape)}")
            if archs.dtype.kind not in "iu" or ((archs < 0) | (archs >= self.space.sizes)).any():
                raise ArenaError("archs must be integers between 0 and the number of values of each variable minus 1")
        elif not np.array_equal(archs, self._asked):
            raise ArenaError("tell() must get exactly the architectures that ask() gave, in their order")
        if losses.shape != archs.shape[:2]:
            raise ArenaError(f"losses must be {list(archs.shape[:2])}, one an architecture, not {list(losses.shape)}")
        self._asked = None
        self._tell(self._inward(archs.astype(np.int64, copy=False)), self._inward(_nan_to_worst(losses)))

    def recommend(self) -> Ints:
        """What the optimizer would hand over now: int64 [R, V]. Before the first ``tell`` it means nothing."""
        arch = self._recommend()
        if "_recommend" not in self._sound:
            self._must_be_sound("_recommend", arch, len(self.space), self.columns)
        return self._outward(arch)

    @property
    def probabilities(self) -> Floats | None:
        """The independent distribution of every variable, float [R, V, Kmax], for an optimizer that has one."""
        return None

    def diagnostics(self) -> dict[str, Floats]:
        """What the optimizer says of its own state, by name: float [R] each."""
        return {name: values[: len(self.seeds)].copy() for name, values in self._diagnostics().items()}

    def state_dict(self) -> State:
        """Everything that the next steps depend on: arrays with the seed axis first, and plain numbers.

        Raises:
            ArenaError: between ``ask`` and ``tell``.
        """
        if self._asked is not None:
            raise ArenaError("state_dict() between ask() and tell(); tell() the losses first")
        state = {name: self._outward(value) for name, value in self._state().items()}
        return {"position": self.streams.position, **state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of the same settings, space and number of seeds.

        ``position`` may be left out: the streams then stay where they are.
        """
        expected = self._state()
        for name in expected:
            if name not in state:
                raise ArenaError(f"the state lacks {name!r}; it needs {', '.join(expected)}")
        arrays = {}
        for name, current in expected.items():
            given = np.asarray(state[name], dtype=current.dtype)
            wanted = [len(self.seeds), *current.shape[:-1]]
            if name in self.histories:
                wanted[1:2] = np.shape(state[self.histories[0]])[1:2]  # all of the same length
            if [*given.shape] != wanted:
                raise ArenaError(f"state {name!r} has shape {list(given.shape)}, this optimizer needs {wanted}")
            arrays[name] = self._inward(given)
        self._load(arrays)
        self.streams.position = int(state.get("position", self.streams.position))
        self._asked = None

    @abstractmethod
    def _ask(self) -> Ints:
        """The next architectures: int64 [B, V, columns]."""

    @abstractmethod
    def _tell(self, archs: Ints, losses: Floats) -> None:
        """Takes int64 [B, V, columns] and float64 [B, columns], NaN replaced by +inf."""

    @abstractmethod
    def _recommend(self) -> Ints:
        """int64 [V, columns]."""

    @abstractmethod
    def _state(self) -> dict[str, NDArray[Any]]:
        """The arrays that ``state_dict`` holds, seeds last."""

    @abstractmethod
    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        """Takes back what ``_state`` gave."""

    def _diagnostics(self) -> dict[str, Floats]:
        """float64 [columns] by name."""
        return {}

    def _must_be_sound(self, method: str, given: Any, *shape: int | str) -> None:
        """Tells the author of a subclass what a method must give; looked at once, as steps are many."""
        is_array = isinstance(given, np.ndarray)
        lengths = given.shape if is_array and given.dtype == np.int64 and given.ndim == len(shape) else ()
        if not lengths or any(n != m if isinstance(m, int) else n < 1 for n, m in zip(lengths, shape, strict=True)):
            names = "[B, V, columns]" if len(shape) == 3 else "[V, columns]"
            found = f"{given.dtype} {list(given.shape)}" if is_array else type(given).__name__
            raise ArenaError(
                f"{type(self).__name__}.{method} must give int64 {names} = [{', '.join(map(str, shape))}], not {found}"
            )
        self._sound.add(method)

    def _make_streams(self, purpose: str) -> Streams:
        return Streams(self.seeds * (self.columns // len(self.seeds)), *self._key, purpose)

    def _outward(self, array: NDArray[Any]) -> NDArray[Any]:
        """From seeds last to seeds first, without the extra column, in new memory."""
        axes = (array.ndim - 1, *range(array.ndim - 1))  # np.moveaxis says the same, at five times the time
        return array[..., : len(self.seeds)].transpose(axes).copy()

    def _inward(self, array: NDArray[Any]) -> NDArray[Any]:
        """From seeds first to seeds last, a single seed as two columns, in new memory."""
        last = array.transpose((*range(1, array.ndim), 0))
        return last.copy() if len(array) == self.columns else last.repeat(self.columns, axis=-1)


class SamplingOptimizer(Optimizer):
    """An optimizer that owns a distribution over architectures, so that it can also drive a supernet.

    A subclass writes ``_draw``, which turns uniforms into architectures without changing its state.
    """

    def __init__(self, space: SearchSpace, seeds: Iterable[int], *, stream: str | int = 0) -> None:
        super().__init__(space, seeds, stream=stream)
        self._sample_streams: Streams | None = None

    def sample(self, n: int, uniforms: Floats | None = None) -> Ints:
        """n architectures that are never told: int64 [R, n, V].

        Args:
            n: how many.
            uniforms: float [R, n, V] in [0, 1) that the caller has drawn; else they come from a second stream of each
                seed, and never from that of ``ask``.
        """
        if uniforms is not None:
            return self._outward(self._draw(self._inward(uniforms)))
        if self._sample_streams is None:
            self._sample_streams = self._make_streams("sample")
        return self._outward(self._draw(self._sample_streams.draw(n, len(self.space))))

    def state_dict(self) -> State:
        used = 0 if self._sample_streams is None else self._sample_streams.position
        return {**super().state_dict(), "sample_position": used}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        if "sample_position" in state:
            self._sample_streams = self._make_streams("sample")
            self._sample_streams.position = int(state["sample_position"])

    @abstractmethod
    def _draw(self, uniforms: Floats) -> Ints:
        """Architectures int64 [n, V, columns] from uniforms float64 [n, V, columns]."""


def uniform_values(uniforms: Floats, sizes: NDArray[np.int64]) -> Ints:
    """Integers 0..size-1, each equally likely, from uniforms in [0, 1); ``sizes`` broadcasts against them."""
    return (uniforms * sizes).astype(np.int64)


def _nan_to_worst(losses: Floats) -> Floats:
    return np.where(np.isnan(losses), np.inf, losses)


class BestSeen:
    """The architecture of the lowest loss told so far, a seed; the first seen wins ties."""

    def __init__(self, space: SearchSpace, columns: int) -> None:
        self.loss = np.full(columns, np.nan)  # NaN until something was told, so that even +inf is an improvement
        self.arch = np.zeros((len(space), columns), dtype=np.int64)

    def update(self, archs: Ints, losses: Floats) -> None:
        """Takes int64 [B, V, columns] and float64 [B, columns]."""
        for arch, loss in zip(archs, losses, strict=True):
            better = ~(loss >= self.loss)
            if better.any():
                self.loss = np.where(better, loss, self.loss)
                self.arch = np.where(better, arch, self.arch)

    def state(self) -> dict[str, NDArray[Any]]:
        return {"best_arch": self.arch, "best_loss": self.loss}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        self.arch, self.loss = state["best_arch"], state["best_loss"]
