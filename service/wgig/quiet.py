"""Do something once it has become quiet: once for many in a row, and nobody waits for it."""

import logging
import threading
import time
from collections.abc import Callable

from .opening import StoreError

log = logging.getLogger("wgig")


class Quiet:
    """Calls a function on a thread of its own, when nothing happened for `pause` seconds.

    Where it never becomes quiet it is called `longest` seconds after the first of what happened. A call that
    fails is logged, and made again after the next.
    """

    def __init__(self, function: Callable[[], None], pause: float, longest: float) -> None:
        """Nothing has happened yet."""
        self.function, self.pause, self.longest = function, pause, longest
        self.news = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def happened(self) -> None:
        """Something has happened."""
        self.news.set()

    def run(self) -> None:
        """Wait for what happens, and then until it is quiet, for ever."""
        while self.news.wait():
            end = time.monotonic() + self.longest
            while self.news.is_set() and time.monotonic() < end:
                self.news.clear()
                self.news.wait(self.pause)
            self.news.clear()
            try:
                self.function()
            except Exception as error:
                unforeseen = not isinstance(error, StoreError)
                log.error("what was to be done when it is quiet failed: %s", error, exc_info=unforeseen)
