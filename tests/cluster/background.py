"""Runs what stands in for a part of the cluster beside a test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def background(run: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    """Run ``run`` in a thread, which ends once ``stop`` is set."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
