"""Training: from pairs to a checkpoint, as a generator of Steps. No torch before it begins."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.augment import Strength
from napari_segment.deep.device import Precision
from napari_segment.recipe import Spec
from napari_segment.registry import Entry, Of, logs, losses, models
from napari_segment.step import Step

__all__ = ["ENTRY", "train"]

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=0)]

# Measured: of the networks that two cores can train in a quarter of an hour, the best.
MODEL = Spec(name="dyn_unet", settings={"features": 16, "deep_supervision": False})
LOSS = Spec(name="dice_ce")


def train(
    pairs: Any,
    *,
    out: Path = Path("trained"),
    task: Literal["auto", "classes", "objects"] = "auto",
    model: Annotated[Spec, Of(models)] = MODEL,
    loss: Annotated[Spec, Of(losses)] = LOSS,
    epochs: Count = 0,
    minutes: Positive = 0.0,
    device: str = "auto",
    seed: Count = 0,
    resume: bool = False,
    overwrite: bool = False,
    init_from: str = "",
    ndim: Literal["auto", "2", "3"] = "auto",
    slices: Annotated[int, Field(ge=1, le=31)] = 1,
    spacing: tuple[Annotated[float, Field(gt=0)], ...] = (),
    normalisation: Literal["auto", "zscore", "percentile", "fixed", "none"] = "auto",
    target: Literal["distance", "border", "seeds", "flow"] = "seeds",
    classes: tuple[str, ...] = (),
    ignore_index: Annotated[int, Field(ge=-1)] = -1,
    patch: tuple[Annotated[int, Field(ge=1)], ...] = (),
    batch: Count = 0,
    accumulate: Annotated[int, Field(ge=1)] = 1,
    steps: Count = 0,
    balance: Share = 0.33,
    augment: Strength = "standard",
    augment_overrides: tuple[str, ...] = (),
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw",
    lr: Positive = 0.0,
    find_lr: bool = False,
    weight_decay: Positive = 0.01,
    schedule: Literal["cosine", "poly", "one_cycle", "plateau", "constant"] = "cosine",
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.03,
    clip: Positive = 1.0,
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999,
    patience: Count = 0,
    precision: Precision = "auto",
    folds: Annotated[int, Field(ge=2)] = 5,
    fold: Count = 0,
    workers: Annotated[int, Field(ge=0, le=64)] = 1,
    log: tuple[Annotated[Spec, Of(logs)], ...] = (Spec(name="tensorboard"),),
) -> Generator[Step, None, Checkpoint]:
    """Train a network on images and their labels.

    What is not given is decided from the data: see ``plan.json`` in the run folder, with the
    reason of each decision.

    Parameters
    ----------
    pairs : Pairs or what `Pairs.of` reads
        Images with labels: two folders, a dataset folder, or a list of (image, labels).
    out : Path
        The run folder: network, settings, plan, curves and pictures.
    task : {"auto", "classes", "objects"}
        Whether a label number is a class or one object. "auto" looks at the labels.
    model : Spec
        The network.
    loss : Spec
        What is made small.
    epochs : int
        How often the cases are gone through; 0 for 100, or for as many as the minutes allow.
    minutes : float
        Time for everything from reading to the last score; the learning rate follows it. 0 for
        no limit.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps" or "xpu".
    seed : int
        Of all chance: weights, order, patches and random changes.
    resume : bool
        Go on with the training that is in the run folder, with its settings (but for epochs,
        minutes, device and workers).
    overwrite : bool
        Begin again where the run folder holds a training.
    init_from : str
        Folder of a trained network to begin from; its classes and channels may differ.
    ndim : {"auto", "2", "3"}
        Dimensions of the network; 2 takes stacks plane by plane.
    slices : int
        Neighbouring planes that a 2-D network over stacks sees (2.5-D).
    spacing : tuple of float
        Spacing that images are brought to, one number an axis; empty for the cases' median.
    normalisation : {"auto", "zscore", "percentile", "fixed", "none"}
        How intensities are scaled: each image by itself (zscore, percentile), all alike as
        measured on the foreground (fixed), or not at all.
    target : {"distance", "border", "seeds", "flow"}
        Of objects: what the network learns beside the foreground: how deep a voxel lies in its
        object, where objects end, their inner parts, or the way to their middles.
    classes : tuple of str
        Names of label numbers, such as "1=nucleus"; empty for those that the data set or the
        label files have.
    ignore_index : int
        The label number of voxels that nobody labelled; -1 for none.
    patch : tuple of int
        Sides of the patches; empty to decide from the images and the device.
    batch : int
        Patches a step; 0 to decide.
    accumulate : int
        Steps whose gradients make one update.
    steps : int
        Updates an epoch; 0 to decide.
    balance : float
        Part of the patches that are drawn around a voxel of a class, each class as often.
    augment : {"none", "light", "standard", "strong"}
        How strong the random changes of the patches are.
    augment_overrides : tuple of str
        Amounts of single changes by hand, such as "rotate=45".
    optimizer : {"adamw", "adam", "sgd"}
        How weights follow gradients.
    lr : float
        Highest learning rate; 0 for the usual one of the optimiser.
    find_lr : bool
        Look for the highest learning rate first: over at most a hundred updates it rises until
        the loss does, and a tenth of the one at which the loss was least is taken.
    weight_decay : float
        How strongly weights are pulled to 0.
    schedule : {"cosine", "poly", "one_cycle", "plateau", "constant"}
        How the learning rate falls over the training.
    warmup : float
        Part of the training over which the learning rate rises.
    clip : float
        Largest norm of the gradient; 0 for no limit.
    ema : float
        Decay of the moving average of weights, which is what is kept; 0 for none.
    patience : int
        Epochs without a better score after which the training stops; 0 never.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Number type of the network's inner computation.
    folds, fold : int
        One of so many cases, by sorted name, is for validation, and which of them: 0 is the last
        of each group.
    workers : int
        Threads that prepare patches; 0 prepares them between the steps.
    log : tuple of Spec
        Where the numbers go beside ``curves.csv``.

    Yields
    ------
    Step
        With the loss and the learning rate after each update, and with scores and a preview
        after each epoch. Closing the generator stops the training; what it has learnt is kept.

    Returns
    -------
    Checkpoint
        The network with the best validation score.

    Examples
    --------
    >>> from napari_segment.step import run
    >>> checkpoint = run(train(("images", "labels"), out="run", minutes=10))  # doctest: +SKIP
    """
    given = {k: v for k, v in locals().items() if k != "pairs"}
    from napari_segment.deep.training.run import training

    return (yield from training(pairs, ENTRY.settings.model_validate(ENTRY.validate(given))))


ENTRY = Entry("trainings", "train", "Train a network", train, gives="")
