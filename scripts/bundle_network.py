"""Write a trained network of nuclei as the one that comes with the package.

    python scripts/bundle_network.py RUN

The data are those of NAPARI_SEGMENT_DATA, which `card.json` of the run names. The weights of
convolutions become half precision, the network as it is bundled is scored on the cases that chose
nothing, by `segment` and `compare`, and its card says so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch

from napari_segment import samples
from napari_segment.api import aggregate, as_labels, compare, segment
from napari_segment.deep.card import Measured, ModelCard
from napari_segment.deep.checkpoint import WEIGHTS, Checkpoint, load_tensors, save_tensors
from napari_segment.exchange.own import COVER
from napari_segment.io.hashing import file_hash
from napari_segment.io.models_folder import BUNDLED
from napari_segment.results.compare import Aggregate
from napari_segment.results.picture import grey, overlay

NAME = "nuclei-fluorescence"
DATA = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "dsb2018"


def main(run: Path) -> None:
    """Write the bundled network from a run, and print its size and scores."""
    target = BUNDLED / NAME
    target.mkdir(parents=True, exist_ok=True)
    card = ModelCard.load(run)
    checkpoint = Checkpoint.load(run).model_copy(update={"folder": target, "reasons": {}})
    weights = load_tensors(run / WEIGHTS)
    save_tensors({name: halved(tensor) for name, tensor in weights.items()}, target / WEIGHTS)
    checkpoint.save()
    card = described(card, target)
    card.save(target)
    draw(target)
    print(f"{(target / WEIGHTS).stat().st_size:,} bytes", *card.scores, sep="\n")


def halved(tensor: torch.Tensor) -> torch.Tensor:
    """Convolutions in half precision; statistics and biases, which are few, as they are."""
    return tensor.half() if tensor.ndim > 1 else tensor


def described(card: ModelCard, target: Path) -> ModelCard:
    """Return the card with what a training does not know, and the scores as it is bundled."""
    names = [case.name for case in card.cases if case.part == "test"]
    total = total_of(names, target)
    low, high = total.pooled_interval["ap50"]
    on = f"{len(names)} cases of the test (ap pooled: 95 % interval {low:.3f} to {high:.3f})"
    validation = [scores for scores in card.scores if scores.chose]
    return card.model_copy(
        update={
            "title": NAME,
            "segments": "nuclei in fluorescence images, 2-D, bright on dark, 5 to 60 pixels wide",
            "data": "Data Science Bowl 2018, stage 1, fluorescence: 135 images (CC0-1.0, BBBC038)",
            "citation": "Caicedo et al., Nature Methods 16, 2019. doi:10.1038/s41592-019-0612-7",
            "licence": "BSD-3-Clause",
            "authors": "the authors of napari-segment",
            "weights": file_hash(target / WEIGHTS),
            "scores": (Measured(on=on, values=scores_of(total)), *validation),
        }
    )


def total_of(names: list[str], checkpoint: Path) -> Aggregate:
    """The scores of all images together, as `segment` and `compare` give them."""
    results = []
    for name in names:
        labels = segment(
            DATA / "images" / f"{name}.png", "network", checkpoint=checkpoint, device="cpu"
        )
        reference = as_labels(DATA / "labels" / f"{name}.png", holds="objects")
        results.append(compare(labels, reference))
    return aggregate(results)


def scores_of(total: Aggregate) -> dict[str, float]:
    """AP at IoU 0.5, over all objects together and as the mean over images."""
    return {
        "ap pooled": total.pooled["ap50"],
        "ap": total.mean["ap50"],
        "mean ap pooled": total.pooled["average_precision"],
        "dice": total.mean["mean_dice"],
    }


def draw(target: Path) -> None:
    """A picture of made-up nuclei with the objects that the network finds."""
    from imagecodecs import png_encode

    image, _ = samples.nuclei((160, 160), seed=7)
    labels = segment(image, "network", checkpoint=target, device="cpu")
    picture = grey(np.asarray(image))
    strip = np.concatenate([picture, overlay(picture, np.asarray(labels))], axis=1)
    (target / COVER).write_bytes(png_encode(np.ascontiguousarray(strip)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
