"""Publishing of a trained network as a BioImage.IO package, of specification 0.5."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.card import ModelCard
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.distribution import version
from napari_segment.errors import MissingError, SettingError
from napari_segment.exchange.bioimageio.cover import draw_cover
from napari_segment.exchange.bioimageio.own import KEY
from napari_segment.io.hashing import file_hash
from napari_segment.io.replacing import placing
from napari_segment.io.temporary import temporary_folder

FORMAT_VERSION = "0.5.12"
_HOME = "https://github.com/napari-segment/napari-segment"
_HALO = 8  # a tile's part at each border that is not used
_EPS = 1e-6
_UNITS = {
    "picometer", "nanometer", "micrometer", "millimeter", "centimeter", "meter", "kilometer",
    "inch",
}  # fmt: skip


def publish(
    checkpoint: Checkpoint,
    path: Path,
    tile: Sequence[int] = (),
    *,
    author: str = "",
    licence: str = "",
    maintainer: str = "",
) -> Path:
    """Write a package with ONNX weights, test tensors, a cover and its documentation.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a semantic network, with the card that training wrote next to it.
    path : Path
        The file to write, ending with ``.zip``; whole or not at all.
    tile : sequence of int
        Spatial size of the input; empty for that of the training patches.
    author, licence : str
        Who publishes it, and the SPDX identifier of the licence; "" for those of the card.
    maintainer : str
        GitHub name of who looks after the package, which the zoo asks for; "" for none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingError
        If it cannot be described, or author or licence are missing.
    MissingError
        If the packages that write ONNX are not installed.
    """
    card = ModelCard.load(checkpoint.folder)
    author, licence = author or card.authors, licence or card.licence
    _check(checkpoint, path, author, licence)
    sides = tuple(tile) or checkpoint.patch
    folder = temporary_folder()
    try:
        _write_parts(checkpoint, sides, folder)
        description = _description(checkpoint, card, sides, folder, author, licence)
        if maintainer:
            description["maintainers"] = [{"github_user": maintainer}]
        _write_documentation(checkpoint, card, folder / "README.md")
        _write_yaml(folder / "bioimageio.yaml", description)
        with placing(path) as unfinished:
            _zip(folder, unfinished)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return path


def _check(checkpoint: Checkpoint, path: Path, author: str, licence: str) -> None:
    if path.suffix.lower() != ".zip":
        raise SettingError(f"Cannot publish to {path.name}: give a file name that ends with .zip.")
    if checkpoint.slices > 1:
        raise SettingError(
            "A network of neighbouring planes cannot be published: its channels are planes, which "
            "the description has no term for. Export it as ONNX."
        )
    for name, value, example in (
        ("author", author, "'Jane Doe'"), ("licence", licence, "'CC-BY-4.0'"),
    ):  # fmt: skip
        if not value:
            raise SettingError(
                f"A published model needs its {name}, which its card does not name: give "
                f"{name}={example} (--{name} {example})."
            )
    if len({n.model_dump_json() for n in checkpoint.normalisation}) > 1 and any(
        n.scheme != "fixed" or n.clip for n in checkpoint.normalisation
    ):
        raise SettingError(
            "The channels of this network are normalised in different ways, which the description "
            "has no term for. Export it as ONNX."
        )


# ---- parts ----


def _write_parts(checkpoint: Checkpoint, sides: tuple[int, ...], folder: Path) -> None:
    """Write weights and test tensors, and the picture of them."""
    import tifffile

    from napari_segment.exchange.onnx.export import export

    export(checkpoint, folder / "weights.onnx", sides)
    image = _test_image(checkpoint, sides)
    output = _run(folder / "weights.onnx", _normalised(checkpoint, image), checkpoint.activation)
    np.save(folder / "test_input.npy", image[None])
    np.save(folder / "test_output.npy", output)
    photometric = {"photometric": "minisblack"}
    tifffile.imwrite(folder / "sample_input.tif", image[None], **photometric)  # to be looked at
    tifffile.imwrite(folder / "sample_output.tif", output, **photometric)
    draw_cover(checkpoint.folder, image, output[0], folder / "cover.png")


def _test_image(checkpoint: Checkpoint, sides: tuple[int, ...]) -> NDArray[np.float32]:
    """Blobs of several sizes, in the range of the training images (C, *sides)."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    known = checkpoint.intensities or ((0.0, 255.0),) * len(checkpoint.channels)
    channels = []
    for low, high in known:
        blobs = sum(gaussian_filter(rng.normal(size=sides), s) * s for s in (1, 3, 6))
        smallest, largest = np.min(blobs), np.max(blobs)
        channels.append(low + (high - low) * (blobs - smallest) / (largest - smallest))
    return np.asarray(channels, np.float32)


def _normalised(checkpoint: Checkpoint, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply the preprocessing of the description, which adds `_EPS` to what is divided by."""
    from napari_segment.exchange.bioimageio.package import Operation
    from napari_segment.exchange.bioimageio.processing import fitted

    steps = preprocessing(checkpoint.normalisation, checkpoint.ndim)
    operations = [Operation(step["id"], step.get("kwargs", {})) for step in steps]
    return fitted(operations, image)(image)


def _run(weights: Path, image: NDArray[np.float32], activation: str) -> NDArray[np.float32]:
    try:
        from onnxruntime import InferenceSession
    except ImportError as error:
        raise MissingError("Publishing needs onnxruntime: pip install onnxruntime.") from error
    from napari_segment.exchange.bioimageio.package import Operation
    from napari_segment.exchange.bioimageio.processing import fitted

    session = InferenceSession(weights, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: image[None]})
    return fitted([Operation(activation)])(logits[0])[None]


def preprocessing(normalisation: Sequence[Normalisation], ndim: int) -> list[dict[str, Any]]:
    """Return a normalisation as operations of BioImage.IO."""
    first, axes = normalisation[0], list("zyx"[-ndim:])
    low, high = first.percentiles
    steps: list[dict[str, Any]] = [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
    if first.scheme == "zscore":
        clip = {"min_percentile": low, "max_percentile": high, "axes": axes}
        steps.append({"id": "clip", "kwargs": clip})
        steps.append({"id": "zero_mean_unit_variance", "kwargs": {"axes": axes, "eps": _EPS}})
    elif first.scheme == "percentile":
        limits = {"min_percentile": low, "max_percentile": high, "axes": axes, "eps": _EPS}
        steps.append({"id": "scale_range", "kwargs": limits})
    else:
        if first.clip:
            steps.append({"id": "clip", "kwargs": {"min": first.clip[0], "max": first.clip[1]}})
        numbers = {
            "mean": [n.shift for n in normalisation], "std": [n.scale for n in normalisation],
        }  # fmt: skip
        kwargs: dict[str, Any] = {"axis": "channel", **numbers}
        if len(normalisation) == 1:
            kwargs = {name: values[0] for name, values in numbers.items()}
        steps.append({"id": "fixed_zero_mean_unit_variance", "kwargs": kwargs})
    return [*steps, {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]


# ---- description ----


def _description(
    checkpoint: Checkpoint, card: ModelCard, sides: tuple[int, ...], folder: Path,
    author: str, licence: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "format_version": FORMAT_VERSION,
        "type": "model",
        "name": _plain(card.title or checkpoint.folder.absolute().name),
        "description": _plain(card.segments or f"{checkpoint.holds} of {checkpoint.ndim}-D images"),
        "version": "1.0.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "authors": [{"name": name.strip()} for name in author.split(",")],
        "cite": [_citation(card)],
        "license": licence,
        "git_repo": _HOME,
        "tags": [checkpoint.model.name, "segmentation", checkpoint.holds, f"{checkpoint.ndim}d"],
        "covers": [_file(folder / "cover.png")],
        "documentation": {"source": "README.md"},
        "inputs": [_input(checkpoint, sides, folder)],
        "outputs": [_output(checkpoint, sides, folder)],
        "weights": {
            "onnx": {
                **_file(folder / "weights.onnx"), "opset_version": _opset(folder / "weights.onnx"),
                "authors": [{"name": name.strip()} for name in author.split(",")],
            }
        },
        "config": {
            "bioimageio": {},
            KEY: {"version": version(), "model": json.loads(checkpoint.model_dump_json())},
        },
    }  # fmt: skip


def _input(checkpoint: Checkpoint, sides: tuple[int, ...], folder: Path) -> dict[str, Any]:
    names = [_identifier(name) for name in checkpoint.channels]
    return {
        "id": "image",
        "description": "image, as it was acquired",
        "axes": [
            {"type": "batch"},
            {"type": "channel", "channel_names": names},
            *({**axis, "size": side} for axis, side in zip(_axes(checkpoint), sides, strict=True)),
        ],
        "data": {"type": "float32"},
        "preprocessing": preprocessing(checkpoint.normalisation, checkpoint.ndim),
        "test_tensor": _file(folder / "test_input.npy"),
        "sample_tensor": _file(folder / "sample_input.tif"),
    }


def _output(checkpoint: Checkpoint, sides: tuple[int, ...], folder: Path) -> dict[str, Any]:
    halo = min(_HALO, min(sides) // 8)
    axes = [
        {**axis, "size": {"tensor_id": "image", "axis_id": axis["id"]}, "halo": halo}
        for axis in _axes(checkpoint)
    ]
    names = [_identifier(name) for name in output_names(checkpoint)]
    return {
        "id": "probability",
        "description": "probability of each class",
        "axes": [{"type": "batch"}, {"type": "channel", "channel_names": names}, *axes],
        "data": {"type": "float32", "range": [0.0, 1.0]},
        "postprocessing": [
            {"id": checkpoint.activation}
            if checkpoint.activation == "sigmoid"
            else {"id": "softmax", "kwargs": {"axis": "channel"}},
            {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
        ],
        "test_tensor": _file(folder / "test_output.npy"),
        "sample_tensor": _file(folder / "sample_output.tif"),
    }


def output_names(checkpoint: Checkpoint) -> list[str]:
    """Return the name of each output of a network."""
    if checkpoint.objects is not None:
        target = checkpoint.objects.target
        flows = [f"flow_{axis}" for axis in "zyx"[-checkpoint.ndim :]]
        return ["foreground", *(flows if target == "flow" else [target])]
    names = {0: "background", **checkpoint.names}
    values = checkpoint.values[-checkpoint.channels_out :] or range(checkpoint.channels_out)
    return [names.get(value, f"class_{value}") for value in values]


def _axes(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    letters = "zyx"[-checkpoint.ndim :]
    known = checkpoint.spacing[-checkpoint.ndim :] if checkpoint.unit in _UNITS else ()
    physical = [{"scale": s, "unit": checkpoint.unit} for s in known] or [{}] * len(letters)
    return [{"type": "space", "id": a, **p} for a, p in zip(letters, physical, strict=True)]


def _citation(card: ModelCard) -> dict[str, str]:
    text, marker, doi = card.citation.partition("doi:")
    if marker:
        return {"text": _plain(text).strip() or "data", "doi": doi.strip().split()[0]}
    return {"text": _plain(card.citation) or "napari-segment", "url": _HOME}


def _file(path: Path) -> dict[str, str]:
    return {"source": path.name, "sha256": file_hash(path).removeprefix("sha256:")}


def _opset(path: Path) -> int:
    import onnx

    model = onnx.load(path, load_external_data=False)
    return int(next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")))


def _plain(text: str) -> str:
    """Return a text with the characters that names may have."""
    return "".join(c if c.isalnum() or c in " _+-()/.,:;" else " " for c in text)[:1000].strip()


def _identifier(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text.lower()).strip("_") or "channel"


# ---- documentation ----


def _write_documentation(checkpoint: Checkpoint, card: ModelCard, path: Path) -> None:
    command = "napari-segment segment bioimageio image.tif --package package.zip -o labels.tif"
    orientation = (
        [f"Images must have the orientation {checkpoint.orientation}.", ""]
        if checkpoint.orientation
        else []
    )
    objects = (
        [
            "The outputs are maps from which objects are decoded: see `config` in "
            "`bioimageio.yaml`. napari-segment does it:",
            "",
        ]
        if checkpoint.objects is not None
        else ["Segment an image with napari-segment:", ""]
    )
    scores = [f"- {measured}" for measured in card.scores] or ["Nothing was measured."]
    lines = [
        card.to_markdown(), "## Use", "", *orientation, *objects,
        "```sh", command, "```", "",
        "## Validation", "", *scores, "",
    ]  # fmt: skip
    path.write_text("\n".join(lines), "utf-8")


def _write_yaml(path: Path, description: dict[str, Any]) -> None:
    import yaml

    text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True)
    path.write_text(text, "utf-8")


def _zip(folder: Path, path: Path) -> None:
    from zipfile import ZIP_DEFLATED, ZipFile

    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            if not file.name.startswith("."):
                archive.write(file, file.name)
