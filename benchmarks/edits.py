"""Latency of each edit on a volume of 512³ voxels with 10,000 objects, and what undoing it takes.

Run it as ``python benchmarks/edits.py``; ``--window`` (with a screen) also times each edit in a
napari window up to the drawn picture, in the 2-D view. Times are medians of ``--repeat`` edits,
each undone before the next; every edit is written to a journal on the disk.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_segment.api import EditSession
from napari_segment.recipe import Edit
from napari_segment.results.edits.history import History

PITCH, RADIUS = 23, 9  # of the balls


def volume(side: int) -> np.ndarray:
    """Balls on a grid, numbered from 1: 22 along each axis of 512; every third has a hole."""
    labels = np.zeros((side,) * 3, np.uint16)
    ball = ((np.indices((2 * RADIUS + 1,) * 3) - RADIUS) ** 2).sum(0) <= RADIUS**2
    starts = range(2, side - 2 * RADIUS - 2, PITCH)
    number = 0
    for z in starts:
        for y in starts:
            for x in starts:
                number += 1
                box = tuple(slice(s, s + 2 * RADIUS + 1) for s in (z, y, x))
                labels[box][ball] = number
                if number % 3 == 0:
                    labels[z + RADIUS, y + RADIUS, x + RADIUS] = 0
    return labels


def edits_of(labels: np.ndarray) -> dict[str, Callable[[int], Edit]]:
    """One edit of each kind, by the number of the object that it is made on."""
    side = labels.shape[0]
    per_axis = len(range(2, side - 2 * RADIUS - 2, PITCH))

    def centre(number: int) -> list[int]:
        index = np.unravel_index(number - 1, (per_axis,) * 3)
        return [2 + RADIUS + PITCH * int(i) for i in index]

    def edit(operation: str, **settings: Any) -> Edit:
        return Edit(name=operation, settings=settings)

    def points(number: int) -> list[list[int]]:
        z, y, x = centre(number)
        return [[z, y, x - 4], [z, y, x + 4]]

    def line(number: int) -> list[list[int]]:
        _, y, x = centre(number)
        return [[y - 20, x], [y + 20, x]]

    def square(number: int) -> list[list[float]]:
        _, y, x = centre(number)
        return [[y - 30, x - 30], [y - 30, x + 0.5], [y + 30, x + 0.5], [y + 30, x - 30]]

    def stroke(number: int) -> str:
        z, y, x = centre(number)
        return " ".join(f"{(z * side + y + dy) * side + x - 10}+40" for dy in range(-10, 11))

    return {
        "delete": lambda n: edit("delete", numbers=[n]),
        "merge": lambda n: edit("merge", numbers=[n, n + 1, n + 2]),
        "split, line": lambda n: edit("split", number=n, line=line(n)),
        "split, points": lambda n: edit("split", number=n, points=points(n)),
        "cut, one plane": lambda n: Edit(
            name="cut", settings={"outline": square(n)}, at={"Z": centre(n)[0]}
        ),
        "fill_holes": lambda n: edit("fill_holes", numbers=[n - n % 3 + 3]),
        "smooth": lambda n: edit("smooth", numbers=[n]),
        "grow": lambda n: edit("grow", numbers=[n]),
        "grow to edge": lambda n: edit("grow", numbers=[n], to_edge=True),
        "shrink": lambda n: edit("shrink", numbers=[n], distance=2),
        "shrink to edge": lambda n: edit("shrink", numbers=[n], to_edge=True),
        "new_object": lambda n: Edit(
            name="new_object", settings={"outline": square(n)}, at={"Z": centre(n)[0] + 11}
        ),
        "relabel": lambda n: edit("relabel", number=n),
        "swap": lambda n: edit("swap", numbers=[n, n + 5]),
        "extend": lambda n: edit(
            "extend", numbers=[n], plane=centre(n)[0], to=min(centre(n)[0] + 40, side - 1)
        ),
        "copy_plane, object": lambda n: edit(
            "copy_plane", numbers=[n], plane=centre(n)[0], to=centre(n)[0] + 11
        ),
        "copy_plane, all": lambda n: edit(
            "copy_plane", plane=centre(n)[0], to=centre(n)[0] + 11
        ),
        "interpolate": lambda n: edit(
            "interpolate", numbers=[n], planes=[centre(n)[0] - 6, centre(n)[0] + 6]
        ),
        "accept": lambda n: edit("accept", numbers=[n]),
        "paint": lambda n: edit("paint", runs=stroke(n), number=n),
    }  # fmt: skip


def measured(
    make: Callable[[Edit], Any],
    undo: Callable[[], Any],
    edit: Callable[[int], Edit],
    numbers: list[int],
) -> tuple[float, float, float, int]:
    """Median and largest time of an edit, median time to undo it, and the bytes to do so."""
    times, undone, stored = [], [], []
    for number in numbers:
        planned = edit(number)
        started = time.perf_counter()
        made = make(planned)
        times.append(time.perf_counter() - started)
        stored.append(sum(change.nbytes for change in made.changes))
        started = time.perf_counter()
        undo()
        undone.append(time.perf_counter() - started)
    return statistics.median(times), max(times), statistics.median(undone), max(stored)


def in_window(labels: np.ndarray, image: np.ndarray, journal: Path) -> tuple[Any, Any, Any]:
    """Edits of a layer in a window: what makes one, up to the picture, and what undoes it."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_segment.widgets.layers.edits import LayerEdits

    viewer = napari.Viewer(show=True)
    viewer.add_image(image)
    layer = viewer.add_labels(labels)
    viewer.dims.set_current_step(0, 2 + RADIUS + PITCH * 10)
    edits = LayerEdits(layer, journal)
    edits.see(viewer.layers[0])
    native = viewer.window._qt_viewer.canvas.native  # noqa: SLF001

    def drawn(call: Callable[[], Any]) -> Any:
        result = call()
        native.repaint()  # draws before it returns
        QApplication.processEvents()
        return result

    return (lambda edit: drawn(lambda: edits.make(edit))), (lambda: drawn(edits.undo)), viewer


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--window", action="store_true")
    options = parser.parse_args()
    labels = volume(options.side)
    image = (labels > 0).astype(np.uint8) * 100
    count = int(labels.max())
    print(f"{options.side}³ voxels, {count:,} objects, {labels.nbytes / 1e6:,.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "edits.jsonl"
        started = time.perf_counter()
        if options.window:
            make, undo, _viewer = in_window(labels, image, journal)
        else:
            session = EditSession(History(labels, "ZYX", (), image), journal)
            make, undo = session.make, session.undo
        print(f"begun in {time.perf_counter() - started:.2f} s")
        rng = np.random.default_rng(0)
        per_plane = round(count ** (1 / 3)) ** 2
        numbers = (per_plane * 10 + rng.integers(1, per_plane - 9, options.repeat)).tolist()
        started = time.perf_counter()
        make(Edit(name="accept", settings={"numbers": numbers[:1]}))
        print(f"boxes of all objects in {time.perf_counter() - started:.2f} s")
        print(f"{'edit':<20} {'median':>9} {'largest':>9} {'undo':>9} {'stored':>9}  share")
        for name, edit in edits_of(labels).items():
            make(edit(numbers[0]))  # loads what it needs
            undo()
            median, largest, undone, stored = measured(make, undo, edit, numbers)
            print(
                f"{name:<20} {median * 1e3:6.1f} ms {largest * 1e3:6.1f} ms {undone * 1e3:6.1f} ms "
                f"{stored / 1e3:6.1f} kB  {stored / labels.nbytes:.5%}"
            )


if __name__ == "__main__":
    main()
