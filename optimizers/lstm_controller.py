"""The controller of ENAS (Pham et al., ICML 2018) for many seeds at once: an LSTM that writes an architecture.

Every seed has weights of its own, all in one float32 array [R, P]: a step of the LSTM is a batched matrix product. One
thread does it, since more of them sum in another order; one seed more or less then changes no bit of another's.

Torch is imported when a controller is made. Arrays of numpy go in and come out, seeds last as in all optimizers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.streams import Streams
from search_spaces.errors import missing_extra
from search_spaces.space import Ints

Floats = NDArray[np.float64]

HIDDEN, LAYERS = 32, 2
INITIAL = 0.1  # weights start uniformly between this and its negative
TEMPERATURE, TANH_CONSTANT = 5.0, 2.5
BETA2 = 0.999  # of Adam
ALIGNED = 32  # see LSTMController


class LSTMController:
    """Writes an architecture value by value, each drawn given those before it, and learns which to write more often.

    One head serves all variables, its surplus columns masked where a variable has fewer values; each value of a
    variable has an embedding of its own, which is the input of the next step.

    Torch computes what is left over at the end of an array, when it is no multiple of its vectors, by other functions
    than the rest, which differ in the last bit. The head is therefore as wide as a vector, or several.

    Args:
        sizes: int [V], the numbers of values.
        streams: where the first weights are drawn from.
        columns: R, how many controllers there are.

    Attributes:
        weights: torch float32 [R, P]: all weights of a seed, part by part.
    """

    def __init__(self, sizes: Ints, streams: Streams, columns: int) -> None:
        self._torch = torch = load_torch()
        self._sizes, self._columns = sizes, columns
        self._first_row = 1 + np.cumsum(sizes) - sizes  # of a variable's embeddings; row 0 is the first input
        width = -(-int(sizes.max()) // ALIGNED) * ALIGNED
        surplus = np.arange(width) >= sizes[:, None]
        self._mask = torch.from_numpy(np.where(surplus, -np.inf, 0.0).astype(np.float32))  # [V, width]
        shapes = [(1 + int(sizes[:-1].sum()), HIDDEN), (HIDDEN, width), (1, width)]
        shapes += LAYERS * [(2 * HIDDEN, 4 * HIDDEN), (1, 4 * HIDDEN)]
        ends = np.cumsum([rows * length for rows, length in shapes])
        uniforms = streams.draw(int(ends[-1])).T
        self.weights = torch.from_numpy(np.ascontiguousarray((2 * uniforms - 1) * INITIAL, dtype=np.float32))
        self._inputs, *rest = (
            self.weights[:, end - rows * length : end].view(columns, rows, length)
            for end, (rows, length) in zip(ends.tolist(), shapes, strict=True)
        )
        self._products = list(zip(rest[::2], rest[1::2], strict=True))  # matrix and bias: of the head, of each layer
        self._tape = Tape()

    def write(self, uniforms: Floats, *, learn: bool) -> tuple[Ints, Floats]:
        """Architectures int64 [B, V, columns] and their entropies [B, columns] from uniforms [B, V, columns].

        An entropy is the sum of those of the V distributions that its values were drawn from, in nats. Those written
        to ``learn`` are what ``gradient`` is about next.
        """
        drawn = self._torch.from_numpy(np.ascontiguousarray(uniforms.transpose(1, 2, 0)))

        def draw(v: int, log_probabilities: Any) -> Any:
            edges = log_probabilities.exp().double().cumsum(-1)
            values = (drawn[v, :, :, None] >= edges).sum(-1)
            return values.clamp_max(int(self._sizes[v]) - 1)  # rounding can leave the last edge below 1

        with one_thread(self._torch), self._torch.set_grad_enabled(learn):
            archs, entropy, tape = self._decode(draw, len(uniforms))
        if learn:
            self._tape = tape
        return archs, entropy.numpy().T.astype(np.float64)

    def mode(self) -> Ints:
        """The architecture int64 [V, columns] that takes the most probable value at every step."""
        with one_thread(self._torch), self._torch.no_grad():
            archs, _, _ = self._decode(lambda _, log_probabilities: log_probabilities.argmax(-1), 1)
        mode: Ints = archs[0]
        return mode

    def gradient(self, advantages: Floats) -> tuple[Any, Floats]:
        """Of the mean over the last architectures of advantage times log-probability: torch [R, P], and its norms [R].

        Advantages are float64 [B, columns].
        """
        torch, tape = self._torch, self._tape
        weight = torch.from_numpy(np.ascontiguousarray(advantages.T / len(advantages), dtype=np.float32))
        with one_thread(torch):
            outputs = [output for pairs in tape.products for _, output in pairs]
            found = iter(torch.autograd.grad(tape.log_prob, tape.inputs + outputs, weight))
            by_input = torch.cat([next(found) for _ in tape.inputs], dim=1)
            rows = torch.cat(tape.rows, dim=1)[..., None].expand(by_input.shape)
            parts = [torch.zeros_like(self._inputs).scatter_add_(1, rows, by_input)]
            for pairs in tape.products:
                by_output = torch.cat([next(found) for _ in pairs], dim=1)
                given = torch.cat([given.detach() for given, _ in pairs], dim=1)
                parts += [torch.bmm(given.transpose(1, 2), by_output), by_output.sum(1, keepdim=True)]
            gradient = torch.cat([part.flatten(1) for part in parts], dim=1)
            norm = torch.linalg.vector_norm(gradient, dim=1)
        self._tape = Tape()
        return gradient, norm.numpy().astype(np.float64)

    def _decode(self, choose: Callable[[int, Any], Any], count: int) -> tuple[Ints, Any, Tape]:
        """Architectures [count, V, columns] as ``choose`` picks, their entropies [R, count], and what it came from."""
        torch, tape = self._torch, Tape(products=[[] for _ in self._products])

        def multiply(number: int, given: Any) -> Any:
            matrix, bias = self._products[number]
            output = torch.baddbmm(bias, given, matrix)
            tape.products[number].append((given, output))
            return output

        shape = self._columns, count, HIDDEN
        zeros = self.weights.new_zeros  # of its type, whatever torch's default is
        hidden, cell = ([zeros(shape) for _ in range(LAYERS)] for _ in range(2))
        log_prob, entropy, row = zeros(shape[:2]), zeros(shape[:2]), zeros(shape[:2], dtype=torch.int64)
        written = []
        for v in range(len(self._sizes)):
            # a value was drawn, through which no gradient flows: each input is where the graph begins
            below = self._inputs.gather(1, row[..., None].expand(shape)).requires_grad_(torch.is_grad_enabled())
            tape.rows.append(row)
            tape.inputs.append(below)
            for n in range(LAYERS):
                gates = multiply(1 + n, torch.cat([below, hidden[n]], dim=2))
                keep, let_in, let_out = torch.sigmoid(gates[..., : 3 * HIDDEN]).chunk(3, dim=-1)
                cell[n] = keep * cell[n] + let_in * torch.tanh(gates[..., 3 * HIDDEN :])
                below = hidden[n] = let_out * torch.tanh(cell[n])
            logits = TANH_CONSTANT * torch.tanh(multiply(0, below) / TEMPERATURE)
            log_probabilities = torch.log_softmax(logits + self._mask[v], dim=-1)
            values = choose(v, log_probabilities.detach())
            log_prob = log_prob + log_probabilities.gather(2, values[..., None])[..., 0]
            entropy += torch.special.entr(log_probabilities.detach().exp()).sum(-1)
            written.append(values)
            row = values + int(self._first_row[v])
        tape.log_prob = log_prob
        archs: Ints = torch.stack(written).numpy().transpose(2, 0, 1)
        return archs, entropy, tape


@dataclass
class Tape:
    """What a gradient is calculated from.

    The gradient of a matrix that is multiplied with at every step is one product over all steps, many times faster than
    the sum of the products that torch itself would take; so torch is asked for the gradients of the outputs alone.
    """

    log_prob: Any = None  # [R, B]
    rows: list[Any] = field(default_factory=list)  # of the inputs, one a variable: int64 [R, B]
    inputs: list[Any] = field(default_factory=list)  # [R, B, H]
    products: list[list[tuple[Any, Any]]] = field(default_factory=list)  # of each matrix, one a variable: given, output


class AdamOfSeeds:
    """Adam (Kingma and Ba, ICLR 2015) uphill, on the weights of many seeds that may skip steps.

    Args:
        weights: torch float32 [R, P], moved in place.
        lr: the learning rate.
        beta1: the decay of the mean gradient; that of its mean square is 0.999.
        eps: what is added to the root of the mean square.
    """

    def __init__(self, weights: Any, lr: float, beta1: float, eps: float) -> None:
        self._torch = load_torch()
        self._weights, self._m, self._v = weights, self._torch.zeros_like(weights), self._torch.zeros_like(weights)
        self._lr, self._beta1, self._eps = lr, beta1, eps
        self._updates = np.zeros(len(weights))  # steps that were not skipped

    def step(self, gradient: Any, factor: Floats, live: NDArray[np.bool_]) -> None:
        """Moves the ``live`` seeds by a gradient [R, P], which it spoils, times a factor [columns]."""
        self._updates = self._updates + live
        count = np.maximum(self._updates, 1.0)  # of a seed without an update nothing is kept
        rate = self._column(self._lr / (1.0 - self._beta1**count))
        root_of_bias = self._column(np.sqrt(1.0 - BETA2**count))
        with one_thread(self._torch):
            gradient.mul_(self._column(factor))
            state = [self._weights, self._m, self._v]
            if not live.all():
                rows = self._torch.from_numpy(np.flatnonzero(live))
                gradient, rate, root_of_bias = gradient[rows], rate[rows], root_of_bias[rows]
                state = [array[rows] for array in state]
            weights, m, v = state
            m.mul_(self._beta1).add_(gradient, alpha=1.0 - self._beta1)
            v.mul_(BETA2).addcmul_(gradient, gradient, value=1.0 - BETA2)
            divisor = self._torch.sqrt(v, out=gradient).div_(root_of_bias).add_(self._eps)
            weights.addcdiv_(m, divisor.div_(rate))
            if not live.all():
                for whole, moved in zip((self._weights, self._m, self._v), state, strict=True):
                    whole[rows] = moved

    def _column(self, values: Floats) -> Any:
        return self._torch.from_numpy(values[:, None].astype(np.float32))

    def state(self) -> dict[str, NDArray[Any]]:
        """Seeds last."""
        arrays = {"weights": self._weights, "m": self._m, "v": self._v}
        return {**{name: array.numpy().T for name, array in arrays.items()}, "updates": self._updates}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Takes back what ``state`` gave."""
        for name, array in (("weights", self._weights), ("m", self._m), ("v", self._v)):
            array.copy_(self._torch.from_numpy(state[name].T))
        self._updates = state["updates"]


@contextmanager
def one_thread(torch: Any) -> Iterator[None]:
    """Torch computes with one thread, and afterwards with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def load_torch() -> Any:
    """Torch, or the error that says how to install it."""
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":  # it is there, and lacks something itself
            raise
        raise missing_extra("enas", "torch", "supernet") from error
    return torch
