"""Run the commands of tutorials.md, and make its pictures.

Give a folder to work in, one for the pictures, and perhaps the name of one run::

    python docs/tutorials.py work docs/pictures [first-unet | mobilenet] [--offline]

``--offline`` trains the encoder from random weights instead of ImageNet's.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from napari_segment import read
from napari_segment.cli import main as napari_segment

PAGE = Path(__file__).with_name("tutorials.md")
SHOWN = (0, 1, 8, 20)  # epochs of the second run
COLOURS = 64
RUNS = ("first-unet", "mobilenet")
PRETRAINED, RANDOM = "weights=imagenet,frozen_epochs=-1", "weights=none,frozen_epochs=0"


def commands(run: str = "") -> Iterator[list[str]]:
    """The page's commands as arguments after ``napari-segment``; of one run, its section's."""
    sections = PAGE.read_text("utf-8").split("\n## ")
    for section in sections:
        if run in section:
            for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
                for line in block.replace("\\\n", " ").splitlines():
                    yield shlex.split(line)[1:]


def run_all(
    folder: Path, run: str = "", change: Callable[[list[str]], list[str]] = lambda given: given
) -> None:
    """Run the commands in a folder, each as it is changed before."""
    folder.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for given in commands(run):
            status = napari_segment(change(given))
            if status:
                raise SystemExit(f"napari-segment {shlex.join(given)} ended with {status}")
    finally:
        os.chdir(before)


def offline(given: list[str]) -> list[str]:
    """The same command without downloads."""
    return [word.replace(PRETRAINED, RANDOM) for word in given]


def pictures(work: Path, target: Path) -> None:
    """Take what the runs drew, as small files."""
    target.mkdir(parents=True, exist_ok=True)
    if (work / "pictures").exists():
        _save([work / "first-unet" / "curves.png"], target / "tutorial_unet_curves.png")
        _save([min((work / "pictures").glob("*.png"))], target / "tutorial_unet.png")
    if (work / "mobilenet").exists():
        previews = work / "mobilenet" / "previews"
        shown = [previews / f"epoch_{epoch:04d}.png" for epoch in SHOWN]
        _save(shown, target / "tutorial_mobilenet.png")
        _save([work / "mobilenet" / "curves.png"], target / "tutorial_mobilenet_curves.png")


def _save(files: list[Path], target: Path) -> None:
    rows = [np.asarray(read(file).data)[..., :3] for file in files]
    Picture.fromarray(np.concatenate(rows)).quantize(COLOURS).save(target, optimize=True)


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--offline"]
    folder, goal, *wanted = arguments
    for name in wanted or RUNS:
        run_all(Path(folder), name, offline if "--offline" in sys.argv else lambda given: given)
    pictures(Path(folder), Path(goal))
