"""Score classical recipes on the cells of two plant ovules (3-D).

    NAPARI_SEGMENT_DATA=../shared/data python benchmarks/ovules_classical.py

All lengths are in µm and all volumes in µm³. The recipes' numbers were chosen on the first stack.
Prints a Markdown table: F1 and average precision TP / (TP + FP + FN) at IoU 0.5 of each stack.
"""

from __future__ import annotations

import os
from pathlib import Path

import napari_segment as ns
from napari_segment.recipe import Recipe, Spec

STACKS = ("1135", "1136")
SIZES = (
    Spec(name="remove_small", settings={"min_size": 2.0, "units": "physical"}),
    Spec(name="remove_large", settings={"max_size": 400.0, "units": "physical"}),
)
GAUSSIAN = Spec(name="gaussian", settings={"sigma": 0.3})


def main() -> None:
    root = Path(os.environ.get("NAPARI_SEGMENT_DATA") or "../shared/data") / "ovules"
    print("| recipe | " + " | ".join(f"{s} F1 | {s} AP 0.5" for s in STACKS) + " |")
    print("|---|" + "---|---|" * len(STACKS))
    for name, recipe in recipes().items():
        cells = []
        for stack in STACKS:
            result = ns.replay(recipe, ns.read(root / f"{stack}_mini_raw.tif"))
            summary = ns.compare(result, ns.read(root / f"{stack}_mini_label.tif")).summary
            cells.append(f"{summary['f1']:.3f} | **{summary['ap50']:.3f}**")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def recipes() -> dict[str, Recipe]:
    """By what they do."""
    by_intensity = {"landscape": "intensity", "depth": 0.3}
    splits = {
        "components": Spec(name="connected_components"),
        "split at necks": Spec(name="split_touching"),
        "split at dark lines": Spec(name="split_touching", settings=by_intensity),
    }
    result = {
        f"Gaussian 0.3, Otsu, {name}": Recipe(
            method=Spec(name="otsu"), filters=(GAUSSIAN,), cleanups=(split, *SIZES)
        )
        for name, split in splits.items()
    }
    median, otsu = Spec(name="median", settings={"size": 3}), Spec(name="otsu")
    clahe = Spec(name="clahe", settings={"tiles": 8, "clip_limit": 0.01})
    smooth = Spec(name="smooth", settings={"radius": 0.3, "units": "physical"})
    result["median 3, Otsu, split at dark lines"] = Recipe(
        method=otsu, filters=(median,), cleanups=(_dark_lines(0.15, 3), *SIZES)
    )
    result["median 3, CLAHE, Otsu, split at dark lines, smooth 0.3"] = Recipe(
        method=otsu, filters=(median, clahe), cleanups=(_dark_lines(0.15, 4), *SIZES, smooth)
    )
    settings = {"sigma": 0.5, "depth": 0.06}
    watershed = Spec(name="watershed", settings=settings)
    result["watershed of the gradient (0.5)"] = Recipe(method=watershed, cleanups=SIZES)
    return result


def _dark_lines(depth: float, smoothing: int) -> Spec:
    settings = {"landscape": "intensity", "depth": depth, "smoothing": smoothing}
    return Spec(name="split_touching", settings=settings)


if __name__ == "__main__":
    main()
