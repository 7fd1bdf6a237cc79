"""``samples``: made-up images and labels as folders, to try things out on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from types import MappingProxyType

from napari_segment.cli.messages import counted
from napari_segment.errors import SettingError, UnknownNameError
from napari_segment.image import Labels
from napari_segment.samples import SAMPLES, as_mask, as_trimap

HOLDS: Mapping[str, Callable[[Labels], Labels]] = MappingProxyType(
    {"objects": lambda labels: labels, "mask": as_mask, "trimap": as_trimap}
)


def samples(options: argparse.Namespace) -> int:
    """Write pairs of one sample, each of another seed."""
    from napari_segment import api

    if options.name not in SAMPLES:
        raise UnknownNameError("sample", options.name, SAMPLES)
    make, folder = SAMPLES[options.name], Path(options.output)
    if options.count < 1:
        raise SettingError(f"Cannot write {options.count} pairs: give --count 1 or more.")
    if options.seed < 0:
        raise SettingError(f"Cannot draw from the seed {options.seed}: give --seed 0 or more.")
    for seed in range(options.seed, options.seed + options.count):
        image, labels = make(*_shape(options.size, options.name), seed=seed)
        if options.holds == "trimap" and labels.holds != "objects":
            raise SettingError(f"The labels of {options.name!r} are {labels.holds}, not objects.")
        file = f"{options.name}_{seed:03d}.tif"
        api.write(image, folder / "images" / file)
        api.write(HOLDS[options.holds](labels), folder / "labels" / file)
    what = f"{counted(options.count, 'pair')} of {image.axes} {_times(image.shape)}"
    print(f"{what} → {folder}/images, labels")
    return 0


def _shape(text: str, name: str) -> tuple[tuple[int, ...], ...]:
    """The sample's shape as its only argument; nothing for its own."""
    if not text:
        return ()
    try:
        sides = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"Cannot read the size {text!r}: write 256 or 24,64,64.") from None
    own = len(signature(SAMPLES[name]).parameters["shape"].default)
    if len(sides) not in (1, own):
        raise SettingError(f"{name!r} has {own} sides, but the size {text!r} has {len(sides)}.")
    return (sides * own if len(sides) == 1 else sides,)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
