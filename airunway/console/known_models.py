"""What the console knows of models beyond the project's lock: it asks the hub when a person asks for it."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from airunway.assessment.model_lock import LockedModel, ModelLock
from airunway.text.problems import InputError, Problem

if TYPE_CHECKING:  # it needs optional packages
    from airunway.live.model_search import FoundModel

_SECONDS, _AT_ONCE, _KEPT = 20, 3, 200
"""Longest time that a page waits for a hub, questions that may wait for answers, and models that are remembered."""
_HUB = "Hugging Face"
_Answer = TypeVar("_Answer")


class KnownModels:
    """Models by their key of the lock; those that were looked up are remembered while the console runs."""

    def __init__(self) -> None:
        self._found: dict[str, LockedModel] = {}
        self._asked = threading.BoundedSemaphore(_AT_ONCE)

    def of(self, key: str, lock: ModelLock | None) -> LockedModel | None:
        """What is known of a model, from the lock if that has it; None if nothing is."""
        locked: Mapping[str, LockedModel] = lock.models if lock else {}
        return locked.get(key) or self._found.get(key)

    async def look_up(self, key: str) -> LockedModel:
        """Ask the hub for a model, and remember it. Raises ``InputError``."""

        def ask() -> LockedModel:
            from airunway.live.model_hub import look_up

            return look_up(key)

        found = self._found[key] = await self._answer(ask)
        if len(self._found) > _KEPT:
            del self._found[next(iter(self._found))]
        return found

    async def search(self, text: str) -> "Sequence[FoundModel]":
        """Ask the hub for models whose id contains ``text``. Raises ``InputError``."""

        def ask() -> "Sequence[FoundModel]":
            from airunway.live.model_search import search_models

            return search_models(text)

        return await self._answer(ask)

    async def _answer(self, ask: Callable[[], _Answer]) -> _Answer:
        """The answer of a thread, which ends with the console even if the hub never answers. Raises ``InputError``."""
        if not self._asked.acquire(blocking=False):
            raise _problem(f"{_AT_ONCE} questions wait for answers; ask again when they have ended")
        future: Future[_Answer] = Future()
        future.set_running_or_notify_cancel()  # from now on it ends, also where nobody waits any more

        def run() -> None:
            try:
                future.set_result(ask())
            except Exception as error:
                future.set_exception(error)
            finally:
                self._asked.release()

        threading.Thread(target=run, name="model hub", daemon=True).start()
        try:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise _problem(f"did not answer within {_SECONDS} seconds") from error
        except ModuleNotFoundError as error:
            raise _problem("is asked by optional packages; run: pip install 'airunway[lock]'") from error


def _problem(message: str) -> InputError:
    return InputError([Problem(_HUB, message)])
