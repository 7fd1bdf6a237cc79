"""Reading and writing by file name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from napari_segment.arrays import Array
from napari_segment.errors import FormatError, InputError
from napari_segment.image import Holds, Image, Labels, Stack
from napari_segment.io.boundary import reading
from napari_segment.io.contents import DICOM, Contents, one_channel
from napari_segment.io.features import read_features
from napari_segment.io.names import split_member, suffix, url_of
from napari_segment.io.registry import Format, formats
from napari_segment.io.replacing import placing, recover_once
from napari_segment.io.reports import WARNINGS, Incomplete, reporting


def read(
    path: str | Path,
    *,
    axes: str = "",
    lazy: bool = False,
    series: int | str = "",
    incomplete: Incomplete = "refuse",
) -> Image:
    """Read an image from a file, an OME-Zarr folder or a folder of DICOM slices.

    Parameters
    ----------
    path : str or Path
        TIFF, OME-TIFF, PNG, JPEG, BMP, NIfTI, NRRD, MetaImage, OME-Zarr, HDF5, DICOM, ``.npy`` or
        ``.npz``; an image within a file as ``a.h5::volumes/raw``.
    axes : str
        One letter of ``TCZYX`` for each axis, in array order, where the file does not say or
        says wrongly. Without any word, 2-D is YX and 3-D is ZYX.
    lazy : bool
        Leave the pixels in the file: a Dask array, where the format can (TIFF, NIfTI, OME-Zarr,
        HDF5, MetaImage without compression, DICOM and ``.npy``).
    series : int or str
        Which image of a file or folder that holds several: number from 0, or name.
    incomplete : {"refuse", "allow"}
        What is done with a file of which a part is missing: an error, or what is there, with zeros
        for the rest and a warning that stays in ``header["warnings"]``.

    Returns
    -------
    Image
        With axes, spacing, unit and affine as far as the file knows them.

    Raises
    ------
    FormatError
        If the file is missing or broken, of an unknown format, or holds several images.
    """
    contents = _read(path, axes, lazy, series, incomplete)
    return Image(**contents.fields(), channels=contents.channels)


def read_labels(
    path: str | Path,
    *,
    axes: str = "",
    lazy: bool = False,
    series: int | str = "",
    holds: Holds = "objects",
    incomplete: Incomplete = "refuse",
) -> Labels:
    """Read a label image; the parameters are those of `read`, and one more.

    A palette PNG gives its indices; of channels that are equal, as those of grey in a colour
    picture, one is taken; labels in a JPEG are refused. One bit is a mask; so are eight bits of
    nothing but 0 and 255, which become 0 and 1, with a warning (`Pairs` decides it over all files
    of a data set). The features of objects are read from
    ``<stem>.features.csv`` where it lies next to them.

    Parameters
    ----------
    path, axes, lazy, series, incomplete
        As of `read`.
    holds : {"mask", "classes", "objects"}
        What a label means, where the file does not say.
    """
    labels, recorded = read_stored_labels(
        path, axes=axes, lazy=lazy, series=series, holds=holds, incomplete=incomplete
    )
    if not recorded and labels.dtype == np.uint8 and _is_black_and_white(labels.data):
        warnings.warn(
            f"{Path(path).name} holds nothing but 0 and 255: it is taken as a mask, with 255 as 1.",
            stacklevel=2,
        )
        return labels.replace(data=(labels.data != 0).astype(np.uint8), holds="mask")
    features = read_features(path) if labels.holds == "objects" else {}
    return labels.replace(features=features) if features else labels


def read_stored_labels(
    path: str | Path,
    *,
    axes: str = "",
    lazy: bool = False,
    series: int | str = "",
    holds: Holds = "objects",
    incomplete: Incomplete = "refuse",
) -> tuple[Labels, bool]:
    """Read a label image with its numbers as stored; the parameters are those of `read_labels`.

    Returns
    -------
    labels, recorded : Labels, bool
        Without features; and whether the file itself says what its numbers are.
    """
    contents = one_channel(_read(path, axes, lazy, series, incomplete, labels=True), Path(path))
    of_file = contents.holds or ("mask" if contents.dtype == bool else "")
    try:
        labels = Labels(
            **contents.fields(), holds=cast("Holds", of_file or holds), names=contents.names
        )
    except InputError as error:
        raise InputError(f"{Path(path).name}: {error}") from None
    return labels, bool(of_file)


def _is_black_and_white(data: Array) -> bool:
    """Return whether there is nothing but 0 and 255, and 255."""
    return has_only(data, (0, 255)) and not has_only(data, (0,))


def has_only(data: Array, values: Sequence[int]) -> bool:
    """Return whether an array holds no other values; a lazy one is read up to the first other."""
    blocks = [data] if isinstance(data, np.ndarray) else data.blocks.ravel()
    return all(bool(np.isin(np.asarray(block), values).all()) for block in blocks)


def read_channels(paths: Sequence[Path], *, axes: str = "", lazy: bool = False) -> Image:
    """Read one file for each channel as one image, C first.

    Raises
    ------
    InputError
        If the files differ in shape or have channels of their own.
    """
    images = [read(p, axes=axes.replace("C", ""), lazy=lazy) for p in paths]
    first = images[0]
    for path, image in zip(paths, images, strict=True):
        if image.shape != first.shape or image.axes != first.axes or "C" in image.axes:
            raise InputError(
                f"Channels must be alike: {Path(path).name} has axes {image.axes} of shape "
                f"{image.shape}, {Path(paths[0]).name} {first.axes} of shape {first.shape}."
            )
    if lazy:
        import dask.array as xp
    else:
        import numpy as xp
    return first.replace(data=xp.stack([i.data for i in images]), axes="C" + first.axes)


def write(stack: Stack, path: str | Path, *, reference: str | Path = "") -> Path:
    """Write an Image or Labels in the format of the file name; folders are made as needed.

    Lazy stacks are computed and written block by block by TIFF, NIfTI and OME-Zarr.

    Parameters
    ----------
    stack : Image or Labels
        What to write.
    path : str or Path
        ``.tif`` (ImageJ), ``.ome.tif``, ``.ome.zarr``, ``.nii.gz``, ``.nrrd``, ``.npz``, ``.png`` …
        An existing file is replaced. Labels are written to ``.dcm`` as DICOM Segmentation.
    reference : str or Path
        The DICOM images to which a DICOM Segmentation refers, where the labels do not say.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    FormatError
        If the format is unknown or cannot hold the stack without loss of values, or if nothing
        can be written to the folder.
    """
    path = Path(path)
    form = _format(path)
    if form.write is None:
        raise FormatError(f"{form.title} is read, not written. Write .nii.gz or .nrrd instead.")
    if reference:
        source = {"source": str(reference), "series": ""}
        changed = {**stack.header.get(DICOM, {}), **source}
        stack = stack.replace(header={**stack.header, DICOM: changed})
    with placing(path) as partial:
        form.write(stack, partial)
    if form.written is not None:
        form.written(path)
    return path


def _read(
    path: str | Path,
    axes: str,
    lazy: bool,
    series: int | str,
    incomplete: Incomplete,
    *,
    labels: bool = False,
) -> Contents:
    path, member = split_member(path)
    series = member if series == "" else series  # 0 is a number
    remote = bool(url_of(path))
    if not remote:
        recover_once(path.parent.absolute())
    if not (remote or path.exists()):
        raise FormatError(f"{path} does not exist. Check its name and folder.")
    form = formats["omezarr"] if remote else _format(path)
    reader = (form.read_indices or form.read) if labels else form.read
    absolute = (
        path if remote else path.absolute()
    )  # pixels that are read later may be read from elsewhere
    with reporting(incomplete) as report, reading(path, form.title):
        contents = cast("Contents", reader(absolute, axes=axes, lazy=lazy, series=str(series)))
    if not report.warnings:
        return contents
    recorded = (*contents.header.get(WARNINGS, ()), *report.warnings)
    return contents.replace(header={**contents.header, WARNINGS: tuple(dict.fromkeys(recorded))})


def _format(path: Path) -> Format:
    form = formats.of_suffix(suffix(path))
    folder = path.is_dir()
    if form is not None and (not folder or form.is_folder is not None):
        return form
    if path.exists() and (form := formats.of_content(path)) is not None:
        return form
    for inside in formats.values():
        if inside.writes_inside is not None and inside.writes_inside(path):
            return inside
    if folder:
        raise FormatError(
            f"{path} is a folder, but neither OME-Zarr nor a DICOM series. Give one of its files."
        )
    known = ", ".join(sorted(s for f in formats.values() for s in f.suffixes))
    given = f"the suffix {suffix(path)!r}" if suffix(path) else "no suffix"
    raise FormatError(f"{path.name} has {given}, which is no known format. Known: {known}.")
