"""Find out in another process whether a contender ends at all.

python benchmarks/trial.py rows_threshold 3 64,512,512 cv2.kmeans
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from timing import Row


def tried(row: Row, module: str, number: int, shape: tuple[int, ...], seconds: float) -> Row:
    """The row without contenders that are doubtful and do not end in time.

    Parameters
    ----------
    row : Row
        Of which those named in `doubtful` are tried.
    module, number, shape : str, int, tuple of int
        Where the row comes from: ``rows(shape)[number]`` of the module.
    seconds : float
        How long each may take, besides making the data.
    """
    slow = {}
    for name in row.doubtful:
        command = [sys.executable, __file__, module, str(number), ",".join(map(str, shape)), name]
        made = subprocess.run([*command, "--make"], check=True, capture_output=True, text=True)
        try:
            subprocess.run(
                command, check=True, timeout=seconds + float(made.stdout), capture_output=True
            )
        except subprocess.TimeoutExpired:
            slow[name] = seconds
        except subprocess.CalledProcessError as error:
            print(f"{row.work}: {name} failed ({error.returncode})", file=sys.stderr)
            slow[name] = float("nan")
    theirs = {name: call for name, call in row.theirs.items() if name not in slow}
    return replace(row, theirs=theirs, unended=slow)


def main() -> None:
    import time

    module, number, shape, name, *only_make = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parent))
    start = time.perf_counter()
    row = import_module(module).rows(tuple(map(int, shape.split(","))))[int(number)]
    data = row.make()
    if only_make:
        print(time.perf_counter() - start)
        return
    row.theirs[name](*data)


if __name__ == "__main__":
    main()
