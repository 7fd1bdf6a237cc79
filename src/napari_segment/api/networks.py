"""Verbs of networks: what they will be, what was trained, and where they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_segment.api.types import ModelLike, PairsLike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_segment.deep.device import Device
    from napari_segment.deep.nn.summary import Summary
    from napari_segment.deep.training.record.runs import Run


def network_preview(pairs: PairsLike, settings: Mapping[str, Any] | None = None) -> Summary:
    """Say what network a training would train, and what it will cost.

    Parameters
    ----------
    pairs : as for `train`
        Images with their reference labels; only the first case is read.
    settings : mapping, optional
        Those of `train`: ``model``, ``patch``, ``batch``, ``device``, …

    Returns
    -------
    Summary
        As of `summary`, for a batch of the training's patches.
    """
    from napari_segment.deep.training.augment_preview import network_preview as preview

    return preview(pairs, settings or {})


def export(
    checkpoint: str | Path,
    out: str | Path,
    *,
    tile: Sequence[int] = (),
    format: Literal["auto", "onnx", "bioimageio"] = "auto",  # noqa: A002 - the field's term
    author: str = "",
    licence: str = "",
    maintainer: str = "",
) -> Path:
    """Write a trained network for other programs: as ONNX, or as a BioImage.IO package.

    Parameters
    ----------
    checkpoint : path
        Folder of the trained network, or the name of one of this machine.
    out : path
        The file. Of ``.onnx`` the input is a normalised image ``(B, C, *tile)``, the output raw
        logits; ``model.json`` is in its metadata under the key ``napari_segment``. A package
        (``.zip``) has the same as its weights, with preprocessing, test tensors, a cover and its
        documentation.
    tile : sequence of int
        Spatial size of the input; empty for that of the training patches.
    format : {"auto", "onnx", "bioimageio"}
        "auto" follows the ending of the file.
    author, licence : str
        Of a package: who publishes it, and the SPDX identifier of its licence; "" for those of the
        model card.
    maintainer : str
        Of a package: the GitHub name of who looks after it, which the zoo asks for.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> export("runs/nuclei", "nuclei.onnx")  # doctest: +SKIP
    """
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.io.models_folder import located

    trained = Checkpoint.load(located(Path(checkpoint)))
    if format == "bioimageio" or (format == "auto" and Path(out).suffix.lower() == ".zip"):
        from napari_segment.exchange.bioimageio.publish import publish

        return publish(
            trained, Path(out), tuple(tile), author=author, licence=licence, maintainer=maintainer
        )
    from napari_segment.exchange.onnx.export import export as written

    return written(trained, Path(out), tuple(tile))


def summary(
    model: ModelLike,
    *,
    channels_in: int = 1,
    channels_out: int = 2,
    ndim: int = 2,
    size: Sequence[int] = (),
    batch: int = 1,
) -> Summary:
    """Compute the layers, parameters and memory of a network, without running it.

    Parameters
    ----------
    model : str, (str, mapping), Spec, Checkpoint, Path or torch.nn.Module
        A model by name, such as "unet" or ("unet", {"features": (8, 16)}), or a trained network.
    channels_in, channels_out, ndim : int
        Channels of the input and of the output, and spatial dimensions. A trained network has its
        own.
    size : sequence of int
        Sides of the input; empty for those of a trained network's patches, else for 256 in 2-D and
        64 in 3-D.
    batch : int
        Images at once.

    Returns
    -------
    Summary
        ``costs()`` says parameters and memory, ``to_markdown()`` is the table of layers, and
        ``draw("net.png")`` draws them.

    Examples
    --------
    >>> summary("unet", ndim=3).costs()  # doctest: +SKIP
    """
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.nn.summary import summary as summarise

    trained = Checkpoint.load(model) if isinstance(model, Path) else model
    if not isinstance(trained, Checkpoint):
        return summarise(
            trained, channels_in=channels_in, channels_out=channels_out, ndim=ndim, size=size,
            batch=batch,
        )  # fmt: skip
    return summarise(
        trained.model, channels_in=trained.channels_in, channels_out=trained.channels_out,
        ndim=trained.ndim, size=size or trained.patch, batch=batch,
    )  # fmt: skip


def augment_preview(
    pairs: PairsLike, settings: Mapping[str, Any] | None = None, *, case: int = 0, count: int = 6
) -> dict[str, NDArray[Any]]:
    """Change one patch of one case as a training would, to see what its random changes do.

    Parameters
    ----------
    pairs : as for `train`
        Images with their reference labels; only one case is read.
    settings : mapping, optional
        Those of `train`: ``augment``, ``augment_overrides``, ``patch``, ``seed``, …
    case : int
        Which of the pairs.
    count : int
        How many changed patches.

    Returns
    -------
    dict of str to ndarray
        ``image`` float32 (1 + count, C, *patch) and ``labels`` int32 (1 + count, *patch), -1 where
        nothing is asked; the first patch is unchanged.
    """
    from napari_segment.deep.training.augment_preview import augment_preview as preview

    return preview(pairs, settings or {}, case=case, count=count)


def find_runs(folders: Iterable[str | Path]) -> list[Run]:
    """Read the run folders that `train` wrote, at or below some folders; best first.

    Parameters
    ----------
    folders : iterable of str or Path
        Run folders, or folders of them.

    Returns
    -------
    list of Run
        With model, loss, epochs, minutes, scores and settings.
    """
    from napari_segment.deep.training.record.runs import find_runs as find

    return find(folders)


def devices() -> list[Device]:
    """List what networks can run on: the CPU, each GPU, MPS, with their memory."""
    from napari_segment.deep.device import devices as list_devices

    return list_devices()
