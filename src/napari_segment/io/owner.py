"""Owner: which process a lock or an unfinished folder belongs to, and whether it still runs."""

from __future__ import annotations

import getpass
import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from time import time

_TOLERANCE = 2.0  # seconds by which two readings of one start time may differ
_NAMING = 60.0  # seconds in which a new folder gets the name of its owner


@dataclass(frozen=True)
class Owner:
    """One process on one machine.

    Parameters
    ----------
    user, host : str
        Who started it, and on which machine.
    pid : int
        Its number there.
    started : float
        When it started, in seconds since 1970: numbers are used again, both together are not.
    since : str
        Local time at which it became the owner.
    """

    user: str
    host: str
    pid: int
    started: float
    since: str

    @classmethod
    def current(cls) -> Owner:
        """Return the process that calls."""
        import psutil

        now = datetime.now().astimezone().isoformat(" ", "seconds")
        started = psutil.Process().create_time()
        return cls(_user(), platform.node(), os.getpid(), started, now)

    @classmethod
    def read(cls, path: Path) -> Owner | None:
        """Return the owner that a file names, if there is such a file and it names one."""
        try:
            values = json.loads(path.read_text("utf-8"))
            return cls(
                str(values["user"]), str(values["host"]), int(values["pid"]),
                float(values["started"]), str(values["since"]),
            )  # fmt: skip
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def to_json(self) -> str:
        """Write it for `read`."""
        return json.dumps(asdict(self)) + "\n"

    @property
    def is_running(self) -> bool:
        """Whether the process may still run; of another machine nothing is known, so it may."""
        if self.host != platform.node():
            return True
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _TOLERANCE
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
        except psutil.Error:  # it is there, and may not be asked
            return True

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


def has_ended(note: Path) -> bool:
    """Whether the owner that a file in a folder names has ended.

    So has one that was killed before it wrote its name, after a minute.
    """
    owner = Owner.read(note)
    if owner is not None:
        return not owner.is_running
    try:
        return time() - note.parent.stat().st_mtime > _NAMING
    except OSError:  # another process removed it
        return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a number without a name, as in containers
        return "unknown"
