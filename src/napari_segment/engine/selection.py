"""Selection of the time points and channels that a recipe works on."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from napari_segment.errors import InputError
from napari_segment.image import Image, Stack
from napari_segment.recipe import Recipe
from napari_segment.registry import cleanups, filters, methods

S = TypeVar("S", bound=Stack)

_LUMINANCE = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


def select_times(stack: S, times: tuple[int, int] | tuple[()]) -> S:
    """Cut out a range of time points; all where none is given."""
    if not times:
        return stack
    first, last = times
    if "T" not in stack.axes:
        raise InputError(
            f"The time range {first} to {last} cannot be taken: the axes {stack.axes!r} have no T. "
            "Leave it out, or say which axis is time, such as axes='TYX'."
        )
    if not 0 <= first < last <= stack.size("T"):
        raise InputError(
            f"The time range {first} to {last} does not fit: the stack has {stack.size('T')} time "
            "points, counted from 0, the last one exclusive."
        )
    return stack.replace(data=stack.data[first:last])


def select_input(image: Image, recipe: Recipe) -> Image:
    """The time range, and the channel where nothing in the recipe wants more than one."""
    image = select_times(image.canonical(), recipe.times)
    if "C" not in image.axes:
        return image.channel(recipe.channel)
    method = methods[recipe.method.name]
    chosen = recipe.channel != "auto" and image.size("C") > 1
    if chosen and method.channels == "many" and not cleanups_need_image(recipe):
        raise InputError(
            f"{method.name!r} takes all channels, so channel={recipe.channel!r} would choose none. "
            "Choose channels by the filter 'channels', whose setting is 'indices'."
        )
    wanting = [
        *(filters[spec.name] for spec in recipe.filters), method,
        *(cleanups[spec.name] for spec in recipe.cleanups),
    ]  # fmt: skip
    if any(entry.channels == "many" for entry in wanting):
        return image
    return single_channel(image, recipe.channel)


def channels_first(image: Image) -> Image:
    """The image with a channel axis in front."""
    if "C" not in image.axes:
        return image.replace(data=image.data[None], axes="C" + image.axes)
    return image.transpose("C" + image.axes.replace("C", ""))


def single_channel(image: Image, channel: int | str) -> Image:
    """The chosen channel; "auto" is the only one, or the luminance of an RGB image."""
    if "C" not in image.axes:
        return image
    if channel != "auto":
        return image.channel(channel)
    if image.size("C") == 1:
        return image.channel(0)
    if image.is_rgb:
        return _luminance(image)
    raise InputError(
        f"The image has {image.size('C')} channels and the method takes one. Say which, such as "
        "channel=0."
    )


def _luminance(image: Image) -> Image:
    channels = [image.channel(i) for i in range(3)]
    mixed = sum(w * c.data.astype(np.float32) for w, c in zip(_LUMINANCE, channels, strict=True))
    if image.dtype.kind in "ui":
        mixed = mixed.round().astype(image.dtype)
    return channels[0].replace(data=mixed)


def cleanups_need_image(recipe: Recipe) -> bool:
    """Whether a cleanup of the recipe takes the chosen channel of the image."""
    entries = [cleanups[spec.name] for spec in recipe.cleanups]
    return any("image" in entry.data and entry.channels == "one" for entry in entries)
