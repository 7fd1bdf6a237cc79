"""Calls in threads, whose outcomes are handed to the main thread.

A thread knows its call by a number and holds nothing else: neither the last reference to a Qt
object nor one whose signals it would emit. Whatever the call needs is held until its outcome has
been handed over, and is let go in the main thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any, TypeAlias

from qtpy.QtCore import QObject, Qt, Signal

Outcome: TypeAlias = tuple[Any, Exception | None]


def call_in_thread(call: Callable[[], Any], take: Callable[[Any, Exception | None], None]) -> None:
    """Make a call in a thread; to be used in the main thread.

    Parameters
    ----------
    call : callable
        What runs in the thread.
    take : callable
        Called in the main thread with the result and None, or with None and the error.
    """
    _calls().start(call, take)


class _Calls(QObject):
    """The calls whose outcomes have not been taken. Lives as long as Python does."""

    _made = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self._waiting: dict[int, tuple[Callable[[], Any], Callable[..., None]]] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._made.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    def start(self, call: Callable[[], Any], take: Callable[..., None]) -> None:
        number = next(self._numbers)
        self._waiting[number] = (call, take)
        threading.Thread(target=self._make, args=(number,), daemon=True).start()

    def _make(self, number: int) -> None:
        self._outcomes[number] = _outcome(self._waiting[number][0])
        self._made.emit(number)

    def _hand_over(self, number: int) -> None:
        _, take = self._waiting.pop(number)
        take(*self._outcomes.pop(number))


@cache
def _calls() -> _Calls:
    return _Calls()


def _outcome(call: Callable[[], Any]) -> Outcome:
    try:
        return call(), None
    except Exception as error:
        return None, error
