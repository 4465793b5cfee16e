"""What a model takes of the memory of a worker's GPUs: weights, the cache of one request, and the engine itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from airunway.assessment.architecture import Architecture
from airunway.spec.quantities import parse_quantity
from airunway.text.yaml_reading import load_data

_MOST_TOKENS = 2**24
"""More than any model takes."""


@dataclass(frozen=True)
class CacheNeed:
    """What decides the size of a KV cache: bytes of an element, and the tensor-parallel size.

    ``context`` is the longest context that the engine is told to serve, in tokens; 0 where it takes what fits.
    """

    architecture: Architecture
    element: int
    tensor: int
    context: int

    def bytes_for(self, tokens: int) -> int:
        """Bytes on all GPUs of a worker that a request of so many tokens takes.

        GPUs divide the key-value heads, at least one on each; the compressed vectors of MLA are on every one of them.
        Pipeline stages divide the layers, so their number changes nothing.
        """
        known = self.architecture
        if known.latent_dim:
            elements = known.latent_dim * self.tensor
        else:
            heads = max(1, (known.key_value_heads or 0) // self.tensor) * self.tensor
            elements = 2 * heads * (known.head_dim or 0)
        in_window = min(tokens, known.sliding_window or tokens)
        positions = (known.full_layers or 0) * tokens + known.sliding_layers * in_window
        return elements * self.element * positions

    def tokens_in(self, size: int) -> int:
        """The most tokens, in thousands and up to the model's longest context, whose cache fits ``size`` bytes."""
        longest = self.architecture.context or _MOST_TOKENS
        found = _largest(lambda tokens: self.bytes_for(tokens) <= size, longest)
        return found if found == longest or found < 1000 else found // 1000 * 1000


@dataclass(frozen=True)
class MemoryUse:
    """The memory of the GPUs of each worker of a role, in bytes, and what takes it.

    ``usable`` is the part of ``memory`` that the engine uses. ``cache`` is that of one request of ``context`` tokens.
    ``longest`` is about the longest context that fits; it, ``cache`` and ``context`` are None where they are unknown.
    """

    role: str
    product: str
    gpus: int
    memory: int
    usable: int
    weights: int
    overhead: int
    cache: int | None = None
    context: int | None = None
    longest: int | None = None

    @property
    def free(self) -> int:
        """About what is left for the caches of more requests; negative where it does not suffice."""
        return self.usable - self.weights - self.overhead - (self.cache or 0)


def memory_use(
    role: str, product: str, gpus: int, each: int, weights: int, part: float, need: CacheNeed | None
) -> MemoryUse:
    """What ``weights`` bytes take on ``gpus`` GPUs of ``each`` bytes, of which the engine uses ``part``."""
    overhead = load_data(Path(__file__).with_name("model_memory.yaml"))["overhead"]
    fixed = int(gpus * (parse_quantity(overhead["fixed"]) or 0))
    taken = fixed + int(weights * float(overhead["partOfWeights"]))
    usable = int(gpus * each * part)
    longest = need.tokens_in(usable - weights - taken) if need else None
    context = (need.context or longest) if need else None
    size = need.bytes_for(context) if need and context is not None else None
    return MemoryUse(role, product, gpus, gpus * each, usable, weights, taken, size, context, longest)


def _largest(holds: Callable[[int], bool], most: int) -> int:
    """The largest number up to ``most`` for which ``holds``, which holds for all smaller ones; 0 if for none."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
