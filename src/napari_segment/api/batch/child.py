"""The process that works on files for another: ``python -m napari_segment.api.batch.child``."""

from __future__ import annotations

import _thread
import os
import pickle
import signal
import sys
import threading
import warnings
from queue import SimpleQueue
from typing import Any, BinaryIO

GRACE = 5.0  # seconds that the work has to clean up once nobody waits for it


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Take the work, then one file after another, and answer with its row."""
    from napari_segment.api.batch.report import STOPPED, Row, Task, attempt

    work = pickle.load(incoming)
    tasks: SimpleQueue[Any] = SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(incoming, tasks, busy), daemon=True).start()
    while (given := tasks.get()) is not None:
        busy.set()
        task = Task(*given)
        row: Row = task.row("failed", STOPPED)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            for _ in attempt(task, work, row):
                pass
        row["warnings"] = _shown(caught)
        busy.clear()  # before the other process is answered, which may close the pipe then
        pickle.dump(row, outgoing)
        outgoing.flush()


def _shown(caught: list[warnings.WarningMessage]) -> list[tuple[str, type[Warning]]]:
    from napari_segment.errors import SHOWN

    return [(str(w.message), w.category) for w in caught if w.category in SHOWN]


def _listen(incoming: BinaryIO, tasks: SimpleQueue[Any], busy: threading.Event) -> None:
    """Put files into a queue until the other process closes the pipe, or is gone.

    What is worked on then is ended, as by Ctrl+C.
    """
    try:
        while True:
            tasks.put(pickle.load(incoming))
    except (EOFError, OSError, pickle.UnpicklingError):
        tasks.put(None)
        timer = threading.Timer(GRACE, os._exit, (1,))
        timer.daemon = True
        timer.start()
        if busy.is_set():
            _thread.interrupt_main(signal.SIGTERM)


def main() -> None:
    """Serve until the pipe is closed; what libraries print goes to standard error."""
    incoming = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is meant for the process that asks
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(incoming, outgoing)
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)


if __name__ == "__main__":
    main()
