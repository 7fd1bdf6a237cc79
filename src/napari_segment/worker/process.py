"""The loop of the process: listen, run, answer."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Generator, Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TextIO

import numpy as np

from napari_segment.errors import SHOWN, SegmentError, Stopped
from napari_segment.printable import as_message, printable
from napari_segment.step import FileStep, Step
from napari_segment.worker.verbs import VERBS, Message

INTERVAL = 0.05  # seconds between two lots of steps: 20 updates a second
IDLE = 2.0  # seconds without a job before the compiler is imported
LASTING = ("numbers", "preview", "row")  # what a step has that is not to be lost
COMPILE = "NAPARI_SEGMENT_COMPILE"  # "0" switches compiling in advance off
GRACE = 5.0  # seconds that a job has to end once nobody listens

_compiling: list[subprocess.Popen[bytes]] = []  # the process that compiles, once it was started


class Outbox:
    """Sends answers; steps wait for one another, so that fast work does not flood the window.

    Parameters
    ----------
    stream : text file
        Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._steps: list[Message] = []
        self._job = 0
        threading.Thread(target=self._flush_forever, daemon=True).start()

    def send(self, message: Message) -> None:
        """Send a message at once, after the steps that wait."""
        with self._lock:
            self._flush()
            self._write(message)

    def step(self, job: int, step: Message) -> None:
        """Send a step soon. One that waits, with nothing but a message, gives way to the next."""
        with self._lock:
            if self._steps and not any(self._steps[-1].get(key) for key in LASTING):
                self._steps.pop()
            self._job = job
            self._steps.append(step)

    def _flush_forever(self) -> None:
        pause = threading.Event()
        while not pause.wait(INTERVAL):
            with self._lock:
                self._flush()

    def _flush(self) -> None:
        if self._steps:
            self._write({"job": self._job, "steps": self._steps})
            self._steps = []

    def _write(self, message: Message) -> None:
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()


class Worker:
    """Runs jobs one after another, and listens meanwhile.

    Parameters
    ----------
    stream : text file
        Where answers go.
    """

    def __init__(self, stream: TextIO) -> None:
        self.outbox = Outbox(stream)
        self.jobs: SimpleQueue[Message | None] = SimpleQueue()
        self.cancelled: set[int] = set()
        self.stopped: set[int] = set()
        self.paused: set[int] = set()
        self.closed = False

    def listen(self, lines: Iterable[str]) -> None:
        """Take messages until there are no more."""
        for line in lines:
            message = _message(line)
            if message is None:
                self.outbox.send({"malformed": as_message(line.strip())})
            elif "cancel" in message:
                self.cancelled.add(message["cancel"])
            elif "stop" in message:
                self.stopped.add(message["stop"])
            elif "pause" in message:
                self.paused.add(message["pause"])
            elif "resume" in message:
                self.paused.discard(message["resume"])
            else:
                self.jobs.put(message)
        self.close()

    def close(self, *_: object) -> None:
        """End the job that runs, and then the process."""
        self.closed = True
        self.jobs.put(None)
        timer = threading.Timer(GRACE, os._exit, (1,))
        timer.daemon = True
        timer.start()

    def serve(self) -> None:
        """Run jobs until the messages end."""
        while (message := self._next()) is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("once", UserWarning)
                warnings.showwarning = self._warn(message["job"])
                answer = self._answer(message)
            self.outbox.send({"job": message["job"], **answer})

    def _next(self) -> Message | None:
        """Wait for a job, and load or compile meanwhile what most first jobs would wait for."""
        try:
            return self.jobs.get(timeout=IDLE)
        except Empty:
            import_module("numba")
            compile_in_background()
            return self.jobs.get()

    def _answer(self, message: Message) -> Message:
        try:
            return self._drain(message["job"], VERBS[message["do"]](message), message["folder"])
        except SegmentError as error:
            return {"error": str(error)}
        except BaseException as error:  # whatever happens is reported, and the next job can come
            text = f"{type(error).__name__}: {error}".strip().rstrip(":")
            return {"error": as_message(text), "traceback": printable(traceback.format_exc())}

    def _drain(self, job: int, work: Generator[Step, None, Message], folder: str) -> Message:
        count = 0
        try:
            while True:
                self._wait_while_paused(job)
                if self.closed or job in self.cancelled:
                    work.close()
                    return {"cancelled": True}
                if job in self.stopped:
                    self.stopped.discard(job)
                    step = work.throw(Stopped())
                else:
                    step = next(work)
                count += 1
                self.outbox.step(job, _plain(step, Path(folder), count))
        except StopIteration as stop:
            return {"result": stop.value}

    def _wait_while_paused(self, job: int) -> None:
        pause = threading.Event()
        while job in self.paused and not (self.closed or job in self.cancelled | self.stopped):
            pause.wait(INTERVAL)

    def _warn(self, job: int) -> Any:
        def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
            if category in SHOWN:
                self.outbox.send({"job": job, "warning": as_message(str(message))})

        return show


def compile_in_background() -> None:
    """Start a process of the lowest priority that compiles what no process has compiled before.

    It ends by itself, or with this process. ``NAPARI_SEGMENT_COMPILE=0`` switches it off.
    """
    if os.environ.get(COMPILE) == "0" or _compiling:
        return
    from napari_segment.engine.compilation import is_compiled

    if is_compiled():
        return
    command = [sys.executable, "-P", "-m", "napari_segment.cli", "compile", "--background"]
    quiet = subprocess.DEVNULL
    with suppress(OSError):  # no more processes are allowed: the first calls compile
        _compiling.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))
        atexit.register(_compiling[0].terminate)


def _message(line: str) -> Message | None:
    """Read a line; None where it is no message of `napari_segment.worker`."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    if any(type(message.get(key)) is int for key in ("cancel", "stop", "pause", "resume")):
        return message
    complete = type(message.get("job")) is int and isinstance(message.get("folder"), str)
    return message if complete and message.get("do") in VERBS else None


def _plain(step: Step, folder: Path, count: int) -> Message:
    """A step in plain values; its pictures go to files."""
    preview: dict[str, str] = {}
    for name, picture in (step.preview or {}).items():
        path = folder / f"preview-{count}-{len(preview)}.npy"
        np.save(path, np.asarray(picture))
        preview[name] = str(path)
    return {
        "done": int(step.done),
        "total": int(step.total),
        "message": as_message(step.message),
        "numbers": {name: float(number) for name, number in step.numbers.items()},
        "preview": preview,
        "row": dict(step.row) if isinstance(step, FileStep) else {},
    }


def _take_stdout() -> TextIO:
    """Keep standard output for answers; what libraries print goes to standard error."""
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(own, "w", encoding="utf-8")


def main() -> None:
    """Serve until standard input ends."""
    worker = Worker(_take_stdout())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is meant for napari
    signal.signal(signal.SIGTERM, worker.close)
    if hasattr(os, "nice"):
        os.nice(5)  # the window comes first
    thread = threading.Thread(target=worker.listen, args=(sys.stdin,), daemon=True)
    thread.start()
    from napari_segment.registry import load_plugins

    load_plugins()
    worker.outbox.send({"ready": True})
    worker.serve()
