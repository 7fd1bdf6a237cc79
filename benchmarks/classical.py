"""Print how fast the classical methods are compared with what a user would pick instead.

    python benchmarks/classical.py                 # 64×512×512
    python benchmarks/classical.py --large         # 64×1024×1024
    python benchmarks/classical.py --only otsu
    python benchmarks/classical.py --shape 8,128,128 --trial 10

Rows come from the modules rows_*.py next to this file, each of which has a function
``rows(shape) -> list of Row``. Calls are timed in turns in one process on two threads; the least
time counts. Memory is what was resident beyond input and output, per byte of input. Contenders
that may take very long are first tried in a process of their own: one that has not ended after
``--trial`` seconds, or fails, is not timed with ours; the ratio is then a lower bound.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ.setdefault(name, "2")
os.environ.setdefault("NAPARI_SEGMENT_THREADS", "2")
sys.path.insert(0, str(Path(__file__).parent))


def main() -> None:
    from stacks import LARGE, SMALL
    from timing import table
    from trial import tried

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="64×1024×1024 instead of 64×512×512")
    parser.add_argument("--shape", default="", help="planes,rows,columns instead")
    parser.add_argument("--trial", type=float, default=150.0, help="seconds for one contender")
    parser.add_argument("--only", default="", help="rows whose work holds this word")
    chosen = parser.parse_args()
    shape = LARGE if chosen.large else SMALL
    shape = tuple(map(int, chosen.shape.split(","))) if chosen.shape else shape
    modules = sorted(path.stem for path in Path(__file__).parent.glob("rows_*.py"))
    table(
        tried(row, module, number, shape, chosen.trial)
        for module in modules
        for number, row in enumerate(import_module(module).rows(shape))
        if chosen.only in row.work
    )


if __name__ == "__main__":
    main()
