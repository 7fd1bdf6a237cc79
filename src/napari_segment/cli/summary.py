"""``summary``: a network's layers and costs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.errors import SettingError

if TYPE_CHECKING:
    from napari_segment.deep.nn.summary import Summary

DRAWINGS = (".png", ".svg", ".pdf")


def summary(options: argparse.Namespace) -> int:
    """Print the table of layers and what they cost; draw or write it on request."""
    from napari_segment import api
    from napari_segment.io.replacing import placing

    model, ndim = _model(options)
    result = api.summary(model, **_sizes(options, ndim))
    target = Path(options.output or "")
    if options.output and target.suffix not in (*DRAWINGS, ".md"):
        raise SettingError(f"Cannot draw to {target}: end it with .png, .svg, .pdf or .md.")
    if options.json:
        print(json.dumps(_plain(result), indent=2))
    elif not options.output:
        print(result.to_markdown(), end="")
    if not options.output:
        return 0
    with placing(target) as unfinished:
        if target.suffix in DRAWINGS:
            result.draw(unfinished)
        else:
            unfinished.write_text(result.to_markdown(), "utf-8")
    if not options.json:
        print(f"{result.costs()}\n→ {target}")
    return 0


def _model(options: argparse.Namespace) -> tuple[Any, int]:
    """What to sum up, and its dimensions; 0 where a trained network knows them."""
    from napari_segment.cli.settings import parse_spec
    from napari_segment.registry import models

    folder = Path(options.model)
    if options.model not in models and (folder / "model.json").is_file():
        return folder, 0
    spec = parse_spec(options.model, models)
    return spec, options.ndim or models[spec.name].ndim[0]


def _sizes(options: argparse.Namespace, ndim: int) -> dict[str, Any]:
    try:
        sides = tuple(int(part) for part in options.size.split(",") if part)
    except ValueError:
        raise SettingError(f"Cannot read the size {options.size!r}: write 64,64,64.") from None
    sides *= ndim if len(sides) == 1 and ndim else 1
    given = {"ndim": ndim, "size": sides, "batch": options.batch}
    return {
        "channels_in": options.channels, "channels_out": options.classes,
        **{name: value for name, value in given.items() if value},
    }  # fmt: skip


def _plain(result: Summary) -> dict[str, Any]:
    return {
        "model": result.title, "size": list(result.size), "parameters": result.parameters,
        "trainable": result.trainable, "memory_training": result.memory_training,
        "memory_prediction": result.memory_prediction,
        "layers": [
            {"name": layer.name, "kind": layer.kind, "shape": list(layer.shape),
             "parameters": layer.parameters, "inputs": list(layer.inputs)}
            for layer in result.layers
        ],
    }  # fmt: skip
