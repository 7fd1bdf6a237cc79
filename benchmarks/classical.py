"""Print how fast the classical methods are beside what a user would pick instead.

    python benchmarks/classical.py                 # 64×512×512
    python benchmarks/classical.py --large         # 64×1024×1024
    python benchmarks/classical.py --only otsu

Rows come from the modules rows_*.py beside this file, each of which has a function
``rows(shape) -> list of Row``. Calls are timed in turns in one process on two threads; the least
time counts. Memory is what was resident beyond input and output, per byte of input.
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

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="64×1024×1024 instead of 64×512×512")
    parser.add_argument("--only", default="", help="rows whose work holds this word")
    chosen = parser.parse_args()
    shape = LARGE if chosen.large else SMALL
    modules = sorted(Path(__file__).parent.glob("rows_*.py"))
    table(
        row
        for module in modules
        for row in import_module(module.stem).rows(shape)
        if chosen.only in row.work
    )


if __name__ == "__main__":
    main()
