"""The method `totalsegmentator`: segmentation with the weights of TotalSegmentator."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy
from napari_segment.deep.device import PredictionPrecision, ResultStore, TileBatch
from napari_segment.deep.inference.options import Options, Overlap
from napari_segment.errors import InputError
from napari_segment.exchange.nnunet.conventions import RAS, as_read, warn
from napari_segment.exchange.nnunet.folder import TrainedFolder
from napari_segment.exchange.nnunet.prediction import predict_folder
from napari_segment.exchange.totalsegmentator.tasks import (
    TASKS,
    Part,
    Task,
    TaskName,
    open_task,
)
from napari_segment.exchange.totalsegmentator.tasks import (
    weights_folder as usual_folder,
)
from napari_segment.image import Turn, turn_between
from napari_segment.registry import Result, methods
from napari_segment.step import Step


@methods.add("totalsegmentator", title="TotalSegmentator", group="network", channels="many")
def totalsegmentator(  # noqa: PLR0913 - settings, each with a name
    image: Array,
    spacing: Sequence[float] = (),
    unit: str = "",
    orientation: str = "",
    *,
    task: TaskName,
    weights_folder: Path | Literal["auto"] = "auto",
    test_time_augmentation: bool = False,
    overlap: Overlap = 0.5,
    batch: TileBatch = 1,
    device: str = "auto",
    precision: PredictionPrecision = "auto",
    store: ResultStore = "none",
) -> Generator[Step, None, Result]:
    """Segment anatomy in a CT or MR volume with the weights of TotalSegmentator [1]_.

    The volume is turned to RAS, resampled to the spacing of the task's networks and segmented with
    each of them; the labels are joined under the official numbers and turned back. The weights
    are those that TotalSegmentator has downloaded; nothing is downloaded here.

    Parameters
    ----------
    image : array (1, Z, Y, X) or (Z, Y, X)
        In Hounsfield units for CT.
    spacing : sequence of float
        Distance between voxels along each spatial axis.
    unit : str
        Unit of the spacing.
    orientation : str
        Anatomical direction of each spatial axis, such as "SAR", as readers of NIfTI and DICOM
        give it. Without it the image is taken as it is, which a Step and a warning say.
    task : str
        What to segment. "total" gives 117 classes with five networks at 1.5 mm, "total_fast" with
        one at 3 mm and "total_fastest" with one at 6 mm; those of MR end with "mr".
    weights_folder : Path or "auto"
        Folder with a folder for each data set, such as ``Dataset291_…``. "auto" takes
        TotalSegmentator's own, ``~/.totalsegmentator/nnunet/results``.
    test_time_augmentation : bool
        Average over mirror images where the training allows it, as TotalSegmentator does not.
    device : str
        "auto" (the first accelerator, else the CPU), "cpu", "cuda", "cuda:1", "mps" or "xpu".

    Returns
    -------
    Result
        Classes ``(Z, Y, X)`` with their names.

    References
    ----------
    .. [1] Wasserthal J et al. (2023) TotalSegmentator. Radiol Artif Intell 5:e230024.
       https://doi.org/10.1148/ryai.230024
    """
    chosen = TASKS[task]
    networks = open_task(chosen, usual_folder() if weights_folder == "auto" else weights_folder)
    options = Options(
        device=device, overlap=overlap, batch=batch, precision=precision,
        test_time_augmentation=test_time_augmentation,
        store=Path() if store == "none" else store,
    )  # fmt: skip
    image = _volume(image, len(spacing) or 3)
    turn, notes = _turn(orientation)
    for note in notes:
        warn(note)
        yield Step(0, 0, note)
    own = tuple(spacing) or (1.0,) * 3
    if turn is not None:
        image, own = turn.apply(image), turn.permute(own)
    labels = yield from _joined(chosen, networks, image, own, unit, options)
    labels = labels if turn is None else turn.inverse().apply(labels)
    return Result(labels, "classes", chosen.names, (0, *chosen.names))


def _volume(image: Array, dimensions: int) -> Array:
    has_channels = len(image.shape) > dimensions
    image = image[0] if has_channels and image.shape[0] == 1 else image
    if dimensions != 3 or len(image.shape) != 3:
        raise InputError(
            f"TotalSegmentator takes volumes of one channel, but the image has the shape "
            f"{tuple(image.shape)}. Give a CT or MR volume."
        )
    return image


def _turn(orientation: str) -> tuple[Turn | None, tuple[str, ...]]:
    """Return the turn to RAS, and what is to be said where the orientation is not known."""
    turn = turn_between(orientation, RAS) if len(orientation) == 3 else None
    if turn is None:
        return None, (
            "The orientation of the image is not known, so that it is segmented as it is: its "
            "axes should run from feet to head, back to front and left to right. Otherwise left "
            "and right are exchanged, or nothing is segmented; give a NIfTI or DICOM file.",
        )
    return (None if turn.is_identity else turn), ()


def _joined(
    task: Task, networks: Sequence[TrainedFolder], image: Array, spacing: Sequence[float],
    unit: str, options: Options,
) -> Generator[Step, None, Any]:  # fmt: skip
    """Segment with each part and join the labels: a later part takes the voxels of both."""
    joined: Any = None
    first = 0
    for index, (part, trained) in enumerate(zip(task.parts, networks, strict=True)):
        read = as_read(trained, image, spacing, unit, RAS)
        steps = predict_folder(trained, read.array, read.spacing, options)
        several = f"Part {index + 1} of {len(networks)} ({part.name})" if part.name else ""
        for note in read.notes if not index else ():
            warn(note)
            yield Step(0, 0, note)
        labels = yield from _named(steps, several)
        joined = _with_part(joined, read.back(labels), _numbers(part, trained, first))
        first += len(part.classes)
    return joined


def _numbers(part: Part, trained: TrainedFolder, first: int) -> NDArray[np.uint8]:
    """Return the official number of each label of a part; 0 for those of the training alone."""
    own = trained.plans.table.names
    by_name = {name: first + i for i, name in enumerate(part.classes, start=1)}
    named = set(part.classes) <= set(own.values())
    table = np.zeros(len(trained.plans.table.numbers), np.uint8)
    for number in range(1, len(table)):
        if named:
            table[number] = by_name.get(own.get(number, ""), 0)
        elif number <= len(part.classes):
            table[number] = first + number
    return table


def _with_part(joined: Any, labels: Any, numbers: NDArray[np.uint8]) -> Any:
    """Return the labels joined with those of a further part."""
    if is_lazy(labels):
        import dask.array as da

        own = labels.map_blocks(_renumbered, numbers, dtype=np.uint8)
        return own if joined is None else da.where(own != 0, own, joined)
    if joined is None:
        return numbers[labels]
    for before, plane in zip(joined, labels, strict=True):
        own = numbers[plane]
        np.copyto(before, own, where=own != 0)
    return joined


def _renumbered(labels: NDArray[Any], numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return numbers[labels]


def _named(steps: Generator[Step, None, Any], name: str) -> Generator[Step, None, Any]:
    """Forward Steps with a name before their messages."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        message = f"{name}: {step.message}" if name and step.message else name or step.message
        yield replace(step, message=message)
