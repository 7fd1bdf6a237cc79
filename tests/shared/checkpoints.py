"""Checkpoints with random weights."""

from __future__ import annotations

import torch

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.inference.prediction import Options, predict_with
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.recipe import Spec
from napari_segment.step import run

SMALL = Spec(name="unet", settings={"features": (4, 8), "residual_units": 0})


def made(folder, **changes):
    """A checkpoint with random weights."""
    fields = {
        "model": SMALL, "ndim": 3, "channels": ("c",), "channels_out": 3,
        "activation": "softmax", "holds": "classes", "values": (0, 1, 2),
        "names": {1: "one", 2: "two"}, "normalisation": (Normalisation(scheme="none"),),
        "patch": (16, 16, 16), **changes,
    }  # fmt: skip
    fields["normalisation"] *= len(fields["channels"])
    from napari_segment.deep.nn import models

    torch.manual_seed(len(str(folder)))
    checkpoint = Checkpoint(folder=folder, **fields)
    network = models.build(
        checkpoint.model, checkpoint.channels_in, checkpoint.channels_out, checkpoint.ndim
    )
    return checkpoint.save(network.state_dict())


def label(checkpoint, image, spacing=(), output="labels", **options):
    return run(predict_with([checkpoint], image, spacing, Options(**options), output))
