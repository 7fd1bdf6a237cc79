"""Stacks through files: what the window and its worker hand each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_segment.arrays import Array
from napari_segment.image import Image, Labels
from napari_segment.io.temporary import mapped_file, temporary_space
from napari_segment.recipe import Recipe

Chunks: TypeAlias = list[list[int]]


def save_stack(
    stack: Image | Labels,
    folder: Path,
    name: str,
    write: Callable[[Any, Path], Chunks] | None = None,
) -> dict[str, Any]:
    """Write a stack's pixels to a file, and describe the rest in plain values.

    Parameters
    ----------
    stack : Image or Labels
        In memory or lazy; lazy pixels are computed block by block.
    folder : Path
        Where the file goes.
    name : str
        The file's name without suffix.
    write : callable, optional
        Writes the pixels instead of `save_array`.

    Returns
    -------
    dict
        For `load_stack`.
    """
    path = folder / f"{name}.npy"
    chunks = (write or save_array)(stack.data, path)
    plain = {
        "path": str(path), "chunks": chunks, "axes": stack.axes, "spacing": list(stack.spacing),
        "unit": stack.unit, "affine": None if stack.affine is None else stack.affine.tolist(),
        "interval": stack.interval, "name": stack.name,
    }  # fmt: skip
    if isinstance(stack, Image):
        return plain | {"channels": list(stack.channels)}
    names = {int(number): name for number, name in stack.names.items()}
    recipe = stack.recipe.model_dump(mode="json") if stack.recipe else None
    features = folder / f"{name}.features.npz"
    columns: dict[str, Any] = dict(stack.features)
    np.savez(features, **columns)
    maps = {key: save_stack(image, folder, f"{name}.{key}") for key, image in stack.maps.items()}
    return plain | {
        "holds": stack.holds, "names": names, "recipe": recipe, "values": list(stack.values),
        "features": str(features), "maps": maps,
    }  # fmt: skip


def load_stack(plain: dict[str, Any], *, memory: bool = False) -> Image | Labels:
    """Read what `save_stack` wrote.

    Parameters
    ----------
    plain : dict
        The description.
    memory : bool
        Read the pixels at once, so that the file may go. Otherwise they are mapped: what was
        lazy is a Dask array again, the rest an array that copies what is written to it.
    """
    data = np.load(plain["path"], mmap_mode=None if memory else "c")
    if plain["chunks"] and not memory:
        import dask.array as da

        chunks = tuple(tuple(lengths) for lengths in plain["chunks"])
        data = da.from_array(data, chunks=chunks)
    geometry = (data, plain["axes"], plain["spacing"], plain["unit"], plain["affine"])
    rest = {"interval": plain["interval"], "name": plain["name"]}
    if "channels" in plain:
        return Image(*geometry, **rest, channels=tuple(plain["channels"]))
    names = {int(number): name for number, name in plain["names"].items()}
    recipe = Recipe.model_validate(plain["recipe"]) if plain["recipe"] else None
    with np.load(plain["features"]) as columns:
        features = dict(columns)
    maps = {name: load_stack(image, memory=memory) for name, image in plain["maps"].items()}
    return Labels(
        *geometry, **rest, holds=plain["holds"], names=names, recipe=recipe,
        values=tuple(plain["values"]), features=features,
        maps={name: image for name, image in maps.items() if isinstance(image, Image)},
    )  # fmt: skip


def save_array(array: Array, path: Path) -> Chunks:
    """Write an array; the lengths of its blocks if it is lazy, else nothing."""
    if isinstance(array, np.ndarray):
        with temporary_space(path, array.nbytes):
            np.save(path, array)
        return []
    import dask.array as da

    lazy = array if hasattr(array, "dask") else da.from_array(array)
    if lazy.size == 0:
        np.save(path, lazy.compute())
        return []
    target = mapped_file(path, lazy.shape, lazy.dtype)
    da.store(lazy, target, lock=False)
    target.flush()
    return [list(lengths) for lengths in lazy.chunks]
