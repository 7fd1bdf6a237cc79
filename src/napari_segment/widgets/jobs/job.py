"""Long work in a process of its own: the window asks, listens, and never waits.

One process serves short work and another training, so that a training of hours leaves the other
widgets usable. Each is started when it is first needed and stays warm.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import shutil
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from qtpy.QtCore import QObject, QProcess, QTimer, Signal
from qtpy.QtWidgets import QApplication

from napari_segment.errors import SegmentError
from napari_segment.io.temporary import temporary_folder
from napari_segment.printable import as_message, printable
from napari_segment.step import FileStep, Step
from napari_segment.widgets.jobs.threads import call_in_thread

if TYPE_CHECKING:
    from qtpy.QtCore import SignalInstance

Message: TypeAlias = dict[str, Any]

GRACE = 4_000  # milliseconds that a cancelled job has before its process is killed
KILLED = 9  # the signal of a process that the system stops for its memory
TAIL = 4_000  # characters of a process's last output that are stored


class Job(QObject):
    """One piece of work in the process. Exactly one of the last three signals ends it.

    Parameters
    ----------
    verb : str
        One of `napari_segment.worker.verbs.VERBS`.
    prepare : callable
        From the job's folder to the message; called in a thread, since it writes pixels.
    receive : callable
        From the result's plain values to what `done` carries; called in a thread.
    """

    stepped = Signal(object)
    warned = Signal(str)
    done = Signal(object)
    failed = Signal(str, str)  # what to say, and the traceback if there is one
    cancelled = Signal()

    def __init__(
        self,
        verb: str,
        prepare: Callable[[Path], Message],
        receive: Callable[[Message], Any] = lambda result: result,
    ) -> None:
        super().__init__()
        self.verb, self.prepare, self.receive = verb, prepare, receive
        self.folder = temporary_folder()
        _folders.add(self.folder)
        self.number = 0
        self.sent = self.unwanted = self.over = False
        self.process: Process | None = None

    def cancel(self) -> None:
        """Ask the work to end; kill its process if it does not."""
        if self.process is not None and not self.over:
            self.process.cancel(self)

    def stop(self) -> None:
        """Ask a training to end with the best that it has."""
        if self.process is not None and not self.over:
            self.process.send({"stop": self.number})

    def pause(self, on: bool) -> None:
        """Ask the work to wait after the step at hand, or to go on."""
        if self.process is not None and not self.over:
            self.process.send({"pause" if on else "resume": self.number})

    def end(self, signal: SignalInstance, *values: object) -> None:
        """Tell how the job ended, once, and clear its folder."""
        if self.over:
            return
        self.over = True
        signal.emit(*values)
        self.clear()

    def clear(self) -> None:
        """Remove the job's folder; a thread that still writes into it makes this needed again."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Process(QObject):
    """The worker process and the jobs that wait for it.

    Parameters
    ----------
    parent : QObject, optional
        Whose end ends it.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ready = self.closed = False
        self.error_output = ""
        self._count = 0
        self._queue: deque[Job] = deque()
        self._job: Job | None = None
        self._buffer = b""
        self._inbox: deque[bytes] = deque()
        self._taking = False
        self._killer = QTimer(self, singleShot=True, interval=GRACE)
        self._killer.timeout.connect(self.kill)
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._hear)
        self._process.finished.connect(self._died)
        self._process.errorOccurred.connect(self._not_started)

    # ---- what the window asks for ----

    def start(self) -> None:
        """Start the process unless it runs, so that the first job finds it warm."""
        if self._process.state() == QProcess.ProcessState.NotRunning:
            self.ready, self._buffer, self.error_output = False, b"", ""
            self._inbox.clear()
            self._process.start(sys.executable, ["-P", "-m", "napari_segment.worker"])

    def run(self, job: Job) -> Job:
        """Run a job after those that wait already."""
        self._count += 1
        job.number, job.process = self._count, self
        self._queue.append(job)
        self.start()
        self._next()
        return job

    def cancel(self, job: Job) -> None:
        """Forget a job that has not begun, or ask the running one to end."""
        job.unwanted = True
        if job.sent:
            self.send({"cancel": job.number})
            self._killer.start()
            return
        if job in self._queue:
            self._queue.remove(job)
        self._over(job, job.cancelled)

    def send(self, message: Message) -> None:
        """Send one message."""
        self._process.write(json.dumps(message).encode() + b"\n")

    def kill(self) -> None:
        """End the process at once, with the job that it runs."""
        self._process.kill()

    def close(self) -> None:
        """End the process for good; nothing waits for it."""
        if self.closed:
            return
        self.closed = True
        self._killer.stop()
        self._process.blockSignals(True)  # its destructor would still tell of the end
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(300):
            self._process.kill()
            self._process.waitForFinished(1000)
        for job in (*self._queue, self._job):
            if job is not None:
                job.over = True
                job.clear()
        self._queue.clear()
        self._job = None

    @property
    def busy(self) -> bool:
        """Whether a job runs, for which others wait."""
        return self._job is not None

    @property
    def pid(self) -> int:
        """The process's number; 0 while it does not run."""
        return int(self._process.processId())

    # ---- from one job to the next ----

    def _next(self) -> None:
        if self._job is None and self._queue:
            job = self._job = self._queue.popleft()
            call_in_thread(partial(job.prepare, job.folder), partial(self.submit, job))

    def submit(self, job: Job, message: Message | None, error: Exception | None) -> None:
        """Send a job whose pixels are written."""
        if job.over:  # cancelled or closed while its pixels were being written
            job.clear()
        elif message is None:
            self._over(job, job.failed, said(error), "")
        else:
            self.start()
            job.sent = True
            self.send({"job": job.number, "do": job.verb, "folder": str(job.folder), **message})

    def finish(self, job: Job, result: object, error: Exception | None) -> None:
        """End a job whose result has been read."""
        if job.over:  # cancelled or closed while it was being read
            job.clear()
        elif error is not None:
            self._over(job, job.failed, said(error), "")
        else:
            self._over(job, job.done, result)

    def _over(self, job: Job, signal: SignalInstance, *values: object) -> None:
        """End the running job, and begin the next one."""
        self._killer.stop()
        if job is self._job:
            self._job = None
        job.end(signal, *values)
        self._next()

    # ---- what the process says ----

    def _read(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput())
        *lines, self._buffer = self._buffer.split(b"\n")
        self._inbox.extend(lines)
        if self._taking:  # a progress bar let Qt go on while a message is being shown
            return
        self._taking = True
        try:
            while self._inbox:
                line = self._inbox.popleft()
                message = _parsed(line)
                if message is None:  # printed by a library, before the worker took its output
                    self._remember(line + b"\n")
                else:
                    self._take(message)
        finally:
            self._taking = False

    def _take(self, message: Message) -> None:
        if "ready" in message:
            self.ready = True
            return
        job = self._job
        if job is None or message.get("job") != job.number:
            return
        if "steps" in message:
            for step in message["steps"]:
                if job.over:  # while the step before was shown; its pictures are gone
                    return
                job.stepped.emit(_step(step))
        elif "warning" in message:
            job.warned.emit(message["warning"])
        elif "result" in message:
            job.sent = False  # the process has done its part
            self._killer.stop()
            call_in_thread(partial(job.receive, message["result"]), partial(self.finish, job))
        elif "error" in message:
            self._over(job, job.failed, message["error"], message.get("traceback", ""))
        elif "cancelled" in message:
            self._over(job, job.cancelled)

    def _hear(self) -> None:
        self._remember(bytes(self._process.readAllStandardError()))

    def _remember(self, output: bytes) -> None:
        """Hold the end of what the process printed, for the message if it dies."""
        text = printable(output.decode(errors="replace"))
        self.error_output = (self.error_output + text)[-TAIL:]

    def _died(self, code: int, status: QProcess.ExitStatus) -> None:
        """The running job is lost; those that wait get a new process."""
        self._hear()
        job, output = self._job, self.error_output.strip()
        if self.closed or job is None or not job.sent:
            return
        if job.unwanted:
            self._over(job, job.cancelled)
            return
        crashed = status == QProcess.ExitStatus.CrashExit
        self._over(job, job.failed, _cause(code, crashed, output), output)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._job is not None:
            text = f"The worker process could not be started with {sys.executable}."
            self._over(self._job, self._job.failed, text, "")


def _cause(code: int, crashed: bool, output: str) -> str:
    """Say why a process probably ended by itself, and what to do.

    Of a crashed process the code is the number of the signal that ended it.
    """
    again = "The next run starts a new one."
    if crashed and code == KILLED:
        return (
            "The worker process ended by itself: the system stopped it, most likely because memory "
            f"ran out. {again} Close other programs, take a part of the image or smaller tiles and "
            "batches, or open the image from Zarr or OME-TIFF, which is read by blocks."
        )
    if crashed:
        return (
            f"The worker process ended by itself: a library crashed (signal {code}). {again} If it "
            "happens again with the same settings, report it with the text shown over this message."
        )
    last = output.rsplit("\n", 1)[-1]
    return f"The worker process ended by itself (exit code {code}). {again} {last}".strip()


def _parsed(line: bytes) -> Message | None:
    """Read a line of the process; None where it is no message."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def process(name: str = "work") -> Process:
    """Return the application's process of this name, made when it is first asked for."""
    app = QApplication.instance()
    known = app.findChild(Process, f"napari-segment-{name}")
    if known is not None and known.closed:  # with a window before this one
        known.setObjectName("")
        known = None
    if known is None:
        known = Process(app)
        known.setObjectName(f"napari-segment-{name}")
        app.aboutToQuit.connect(known.close)
        atexit.register(_close, known)  # of an application that never received a request to quit
    return known


_folders: set[Path] = set()  # of jobs


@atexit.register
def _remove_folders() -> None:
    """Remove what is left of jobs; twice, where a thread was adding a file meanwhile."""
    for folder in 2 * list(_folders):
        shutil.rmtree(folder, ignore_errors=True)


def _close(process: Process) -> None:
    with contextlib.suppress(RuntimeError):  # gone with the application
        process.close()


def keep(stack: Message) -> Message:
    """Take a stack's file out of its job's folder; it stays until Python ends.

    Parameters
    ----------
    stack : dict
        What `napari_segment.worker.stacks.save_stack` gave.

    Returns
    -------
    dict
        The same with the new path; to be loaded as an array that is mapped into memory.
    """
    folder = temporary_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    maps = {name: keep(image) for name, image in stack.get("maps", {}).items()}
    moved: Message = {"path": shutil.move(stack["path"], folder), "chunks": []}
    return stack | moved | ({"maps": maps} if maps else {})


def said(error: Exception | None) -> str:
    """Return the message of an error."""
    if isinstance(error, SegmentError):
        return str(error)
    return as_message(f"{type(error).__name__}: {error}")


def _step(plain: Message) -> Step:
    preview = {name: np.load(path) for name, path in plain["preview"].items()}
    done, total, message, numbers = (plain[k] for k in ("done", "total", "message", "numbers"))
    if plain["row"]:
        return FileStep(done, total, message, numbers, preview or None, plain["row"])
    return Step(done, total, message, numbers, preview or None)
