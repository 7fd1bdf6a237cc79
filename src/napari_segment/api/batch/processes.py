"""Work on files in processes of their own, so that one that dies ends no other."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from napari_segment.api.batch.report import Row, Task, Work
from napari_segment.errors import message_of
from napari_segment.io import containment, reports
from napari_segment.runtime import variables_of_share

GRACE = 5.0  # seconds that a process has to clean up after it was asked to end
_COMMAND = (sys.executable, "-P", "-m", "napari_segment.api.batch.child")


def in_processes(
    tasks: Sequence[Task], work: Work, workers: int
) -> Generator[tuple[Task, Row], None, None]:
    """Work on each file in one of several processes, which share the threads of this one.

    Parameters
    ----------
    tasks : sequence of Task
        The files.
    work : callable
        As of `run_files_steps`; it is pickled, and so made of functions and classes of modules.
    workers : int
        Processes. One that ends by itself fails its file, and a new one takes the next.

    Yields
    ------
    Task, dict
        A file and its row, as they are finished.
    """
    count = min(workers, len(tasks))
    shared = _Shared(tasks, pickle.dumps(work), count)
    threads = [threading.Thread(target=shared.serve, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            task, row = shared.results.get()
            for text, category in row.pop("warnings", ()):
                warnings.warn(text, category, stacklevel=2)
            yield task, row
    finally:
        shared.close()
        for thread in threads:
            thread.join()


class _Shared:
    """What the threads share that each watch over one process.

    Parameters
    ----------
    tasks : sequence of Task
        The files.
    work : bytes
        The pickled work.
    count : int
        Processes.
    """

    def __init__(self, tasks: Sequence[Task], work: bytes, count: int) -> None:
        self.results: SimpleQueue[tuple[Task, Row]] = SimpleQueue()
        self._tasks, self._work = iter(tasks), work
        self._lock, self._closed = threading.Lock(), False
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._environment = variables_of_share(os.environ, max(count, 1))
        if containment.is_allowed():
            self._environment[containment.VARIABLE] = "1"
        if reports.expansion_is_allowed():
            self._environment[reports.VARIABLE] = "1"

    def serve(self) -> None:
        """Give one file after another to a process, a new one after each that died."""
        process: subprocess.Popen[bytes] | None = None
        while (task := self._next()) is not None:
            try:
                process = process or self._start()
            except OSError as error:  # no more processes or memory
                self.results.put((task, task.row("failed", message_of(error))))
                continue
            row = _asked(process, task)
            if row is None:
                row = task.row("failed", _cause(process.wait()))
                self._end(process)
                process = None
            self.results.put((task, row))
        if process is not None:
            self._end(process)

    def _next(self) -> Task | None:
        with self._lock:
            return None if self._closed else next(self._tasks, None)

    def _start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        with self._lock:
            process = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, env=self._environment)
            self._processes.add(process)
            if self._closed:
                process.terminate()
        with suppress(OSError):  # it died, as the first file will say
            assert process.stdin is not None
            process.stdin.write(self._work)
            process.stdin.flush()
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                assert stream is not None
                stream.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._lock:
            self._processes.discard(process)

    def close(self) -> None:
        """Let no process take another file, and end those that work on one."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.terminate()
            for process in self._processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE)
                process.kill()


def _asked(process: subprocess.Popen[bytes], task: Task) -> Row | None:
    """The row of a file; None if the process died over it."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        pickle.dump((task.index, Path(task.path), Path(task.target)), process.stdin)
        process.stdin.flush()
        row: Row = pickle.load(process.stdout)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
    return row


def _cause(code: int) -> str:
    """Say how a process ended, and what to do."""
    if code >= 0:
        return f"The process that worked on this file ended by itself, with the status {code}."
    with suppress(ValueError):
        name = signal.Signals(-code).name
        if name == "SIGKILL":
            return (
                "The process that worked on this file was ended by SIGKILL, as a system does "
                "whose memory runs out. Run fewer files at once (workers=1), or read it lazily."
            )
        return f"The process that worked on this file was ended by {name}."
    return f"The process that worked on this file was ended by the signal {-code}."
