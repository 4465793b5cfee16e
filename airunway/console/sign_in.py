"""Gives the terminal of the console a new address whenever Enter is pressed in it, for another browser."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

_MOST_BYTES = 4096
_RETRY_SECONDS = 1.0


def offer_addresses(show: Callable[[], None]) -> bool:
    """Call ``show`` in another thread for each line on standard input; return False if that is no terminal."""
    if not sys.stdin.isatty():
        return False
    # Otherwise reading stops a console that a shell put into the background; like this, it fails until that ends.
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(sys.stdin.fileno(), show), daemon=True).start()
    return True


def _follow(descriptor: int, show: Callable[[], None]) -> None:
    """Without Python's buffer, whose lock a waiting thread would hold when the program ends."""
    while True:
        try:
            if not os.read(descriptor, _MOST_BYTES):
                return
        except OSError:
            time.sleep(_RETRY_SECONDS)
            if not os.isatty(descriptor):
                return
        else:
            show()
