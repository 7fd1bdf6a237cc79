"""The method `nnunet`: segmentation with a results folder of nnU-Net v2."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.deep.device import PredictionPrecision, ResultStore, TileBatch
from napari_segment.deep.inference.options import Options, Overlap
from napari_segment.exchange.nnunet.conventions import as_read, warn
from napari_segment.exchange.nnunet.folder import Weights, first_stage, open_folder
from napari_segment.exchange.nnunet.prediction import predict_folder
from napari_segment.io.models_folder import located
from napari_segment.registry import Result, methods
from napari_segment.step import Step

Fold = Annotated[int, Field(ge=0)]


@methods.add("nnunet", title="nnU-Net folder", group="network", channels="many")
def nnunet(  # noqa: PLR0913 - settings, each with a name
    image: Array,
    spacing: Sequence[float] = (),
    unit: str = "",
    orientation: str = "",
    *,
    model_folder: Path,
    configuration: str = "auto",
    folds: tuple[Fold, ...] | Literal["auto", "all"] = "auto",
    weights: Weights = "final",
    previous_stage: Path | Literal["auto"] = "auto",
    test_time_augmentation: bool = True,
    overlap: Overlap = 0.5,
    batch: TileBatch = 1,
    device: str = "auto",
    precision: PredictionPrecision = "auto",
    store: ResultStore = "none",
) -> Generator[Step, None, Result]:
    """Segment with a results folder of nnU-Net v2 [1]_.

    The image is cropped, normalised and resampled as the plans say, cut into overlapping tiles,
    and the logits of all folds are averaged and brought back onto the image's voxels, slab by
    slab, so that the logits of all classes never exist at once. The weights are read without
    running anything in their files. A 2-D configuration segments a stack plane by plane.

    Parameters
    ----------
    image : array (C, *S) or (*S)
        With the channels of the training, in their order.
    spacing : sequence of float
        Distance between voxels along each spatial axis.
    unit : str
        Unit of the spacing. Where it is the pixel, an image of a medical format is not resampled;
        a Step and a warning say so.
    orientation : str
        Anatomical direction of each spatial axis, such as "SAR". nnU-Net takes voxels as they are
        stored, whatever their orientation; an unusual order of axes is said.
    model_folder : Path
        Folder of one configuration, with ``dataset.json``, ``plans.json`` and ``fold_…``, the
        folder of the data set, or the name of a model of this machine.
    configuration : str
        Such as "3d_fullres". "auto" takes that of the folder.
    folds : tuple of int, "auto" or "all"
        Folds whose outputs are averaged. "auto" takes all that are there; "all" takes the network
        that was trained on all cases (``fold_all``), as "auto" does where there is no other.
    weights : {"final", "best", "latest"}
        Which checkpoint of each fold.
    previous_stage : Path or "auto"
        For the second stage of a cascade: folder of the first, whose labels it sees as further
        channels. "auto" takes the folder beside, of the same trainer.
    test_time_augmentation : bool
        Average over mirror images of each tile, along the axes that the training allows (up to 8
        times the work in 3-D).
    device : str
        "auto" (the first accelerator, else the CPU), "cpu", "cuda", "cuda:1", "mps" or "xpu".
        Several, such as "cuda:0,cuda:1", share the tiles.

    Returns
    -------
    Result
        Classes ``(*S)`` with the names of the training's ``dataset.json``.

    References
    ----------
    .. [1] Isensee F et al. (2021) nnU-Net. Nat Methods 18:203-211.
       https://doi.org/10.1038/s41592-020-01008-z
    """
    trained = open_folder(located(model_folder), configuration, _fold_names(folds), weights)
    options = Options(
        device=device, overlap=overlap, batch=batch, precision=precision,
        test_time_augmentation=test_time_augmentation,
        store=Path() if store == "none" else store,
    )  # fmt: skip
    first = None
    if trained.configuration.previous_stage:
        first = first_stage(trained, None if previous_stage == "auto" else located(previous_stage))
    read = as_read(trained, image, spacing, unit, orientation)
    for note in read.notes:
        warn(note)
        yield Step(0, 0, note)
    labels = yield from predict_folder(trained, read.array, read.spacing, options, first)
    table = trained.plans.table
    names = dict(sorted(table.names.items()))
    return Result(read.back(labels), "classes", names, (0, *names))


def _fold_names(folds: tuple[int, ...] | Literal["auto", "all"]) -> tuple[str, ...]:
    if folds == "auto":
        return ()
    return ("all",) if folds == "all" else tuple(map(str, folds))
