"""Declare the settings of a training: types, bounds, defaults, descriptions and groups."""

from __future__ import annotations

from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from napari_segment.deep.device import Precision
from napari_segment.recipe import Spec
from napari_segment.registry import Of, logs, losses, models

Group: TypeAlias = Literal[
    "data", "network", "optimisation", "augmentation", "validation", "output"
]
Strength: TypeAlias = Literal["none", "light", "standard", "strong"]
Task: TypeAlias = Literal["auto", "classes", "objects"]
Auto: TypeAlias = Literal["auto"]
Unlimited: TypeAlias = Literal["none"]
Count = Annotated[int, Field(ge=0)]
PositiveCount = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]

# Measured: of the networks that two cores can train in a quarter of an hour, the best.
MODEL = Spec(name="dyn_unet", settings={"features": 16, "deep_supervision": False})
LOSS = Spec(name="dice_ce")


def _in(group: Group, description: str) -> Any:
    return Field(description=description, json_schema_extra={"group": group})


class TrainSettings(BaseModel):
    """The settings of one training, each with its bounds, its description and its group.

    Forms, options of the command line, the JSON schema and the signature of
    `napari_segment.deep.training.train` derive from the fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    # ---- data ----
    task: Annotated[
        Task,
        _in("data", 'Whether a label number is a class or one object; "auto" decides from the '
            "labels."),
    ] = "auto"  # fmt: skip
    ndim: Annotated[
        Literal["auto", "2", "3"],
        _in("data", "Spatial dimensions of the network; a 2-D network processes stacks plane by "
            'plane. "auto" decides from the number of planes.'),
    ] = "auto"  # fmt: skip
    slices: Annotated[
        int,
        Field(ge=1, le=31),
        _in("data", "Number of adjacent planes that a 2-D network receives as channels (2.5-D)."),
    ] = 1
    spacing: Annotated[
        tuple[Positive, ...] | Auto,
        _in("data", "Spacing to which images are resampled, one number per axis, in the unit of "
            'the images; "auto" for the median of the cases.'),
    ] = "auto"  # fmt: skip
    normalisation: Annotated[
        Literal["auto", "zscore", "percentile", "fixed", "none"],
        _in("data", "Intensity normalisation: per image (zscore, percentile), with constants "
            'measured on the foreground of all images (fixed), or none. "auto" decides from the '
            "intensities."),
    ] = "auto"  # fmt: skip
    target: Annotated[
        Literal["distance", "border", "seeds", "flow"],
        _in("data", "Second output for objects, in addition to the foreground: normalised distance "
            "to the edge of the object, its border, its eroded core, or the flow to its centre."),
    ] = "seeds"  # fmt: skip
    classes: Annotated[
        tuple[str, ...] | Auto,
        _in("data", 'Names of label numbers, such as "1=nucleus"; "auto" for those of the data '
            "set or of the label files."),
    ] = "auto"  # fmt: skip
    ignore_index: Annotated[
        Count | Auto,
        _in("data", 'Label number of voxels without annotation, which the loss ignores; "auto" '
            "for that of the data set, if it has one."),
    ] = "auto"  # fmt: skip
    background: Annotated[
        PositiveCount | Unlimited,
        _in("data", "The labels are examples only: voxels of 0 are without annotation, and this "
            'class number, painted on the background, becomes 0. "none" where 0 is the '
            "background."),
    ] = "none"  # fmt: skip
    patch: Annotated[
        tuple[PositiveCount, ...] | Auto,
        _in("data", 'Size of the patches in voxels, one number per axis; "auto" decides from the '
            "images and the memory of the device."),
    ] = "auto"  # fmt: skip
    balance: Annotated[
        Fraction,
        _in("data", "Fraction of the patches centred on a voxel of a class, each class equally "
            "often."),
    ] = 0.33  # fmt: skip
    workers: Annotated[
        int,
        Field(ge=0, le=64),
        _in("data", "Number of threads that prepare patches; 0 prepares them between the steps."),
    ] = 1

    # ---- network ----
    model: Annotated[
        Spec, Of(models), _in("network", "Network architecture with its settings.")
    ] = MODEL
    init_from: Annotated[
        Path | Unlimited,
        _in("network", "Folder of a trained network whose weights initialise this one; its "
            'classes and channels may differ. "none" for random weights, or those that the model '
            "names."),
    ] = "none"  # fmt: skip
    device: Annotated[
        str, _in("network", 'Device: "auto", "cpu", "cuda", "cuda:1", "mps" or "xpu".')
    ] = "auto"
    precision: Annotated[
        Precision, _in("network", "Floating-point type of the forward and the backward pass.")
    ] = "auto"

    # ---- optimisation ----
    loss: Annotated[Spec, Of(losses), _in("optimisation", "Loss to be minimised.")] = LOSS
    epochs: Annotated[
        PositiveCount | Auto,
        _in("optimisation", 'Number of epochs; "auto" for 100, or for as many as the minutes '
            "allow."),
    ] = "auto"  # fmt: skip
    minutes: Annotated[
        Positive | Unlimited,
        _in("optimisation", "Time limit in minutes for the whole training, from reading to the "
            "last validation; the learning-rate schedule is scaled to it."),
    ] = "none"  # fmt: skip
    steps: Annotated[
        PositiveCount | Auto,
        _in("optimisation", 'Number of updates per epoch; "auto" decides from the size of the '
            "data."),
    ] = "auto"  # fmt: skip
    batch: Annotated[
        PositiveCount | Auto,
        _in("optimisation", 'Number of patches per step; "auto" decides from the patch and the '
            "device."),
    ] = "auto"  # fmt: skip
    accumulate: Annotated[
        PositiveCount,
        _in("optimisation", "Number of steps whose gradients are summed for one update."),
    ] = 1
    optimizer: Annotated[
        Literal["adamw", "adam", "sgd"], _in("optimisation", "Algorithm that updates the weights.")
    ] = "adamw"
    lr: Annotated[
        Positive | Auto,
        _in("optimisation", 'Maximum learning rate; "auto" for the usual one of the optimiser.'),
    ] = "auto"
    find_lr: Annotated[
        bool,
        _in("optimisation", "Determine the maximum learning rate by a learning-rate range test "
            "before the training: it rises over at most 100 updates, and a tenth of the rate with "
            "the minimum loss is taken."),
    ] = False  # fmt: skip
    weight_decay: Annotated[
        float, Field(ge=0), _in("optimisation", "Coefficient of the weight decay.")
    ] = 0.01
    schedule: Annotated[
        Literal["cosine", "poly", "one_cycle", "plateau", "constant"],
        _in("optimisation", "Learning-rate schedule."),
    ] = "cosine"
    warmup: Annotated[
        BelowOne,
        _in("optimisation", "Fraction of the training over which the learning rate rises to its "
            "maximum."),
    ] = 0.03  # fmt: skip
    clip: Annotated[
        Positive | Unlimited,
        _in("optimisation", "Maximum norm of the gradient, to which larger ones are clipped."),
    ] = 1.0
    ema: Annotated[
        BelowOne,
        _in("optimisation", "Decay of the exponential moving average of the weights, which is what "
            "is validated and saved; 0 for the weights themselves."),
    ] = 0.999  # fmt: skip
    seed: Annotated[
        Count,
        _in("optimisation", "Random seed for initialisation, shuffling, patch sampling and "
            "augmentation."),
    ] = 0  # fmt: skip

    # ---- augmentation ----
    augment: Annotated[
        Strength, _in("augmentation", "Strength of the random augmentation of patches.")
    ] = "standard"
    augment_overrides: Annotated[
        tuple[str, ...],
        _in("augmentation", 'Amounts of single augmentations, such as "rotate=45", which replace '
            "those of the strength."),
    ] = ()  # fmt: skip

    # ---- validation ----
    folds: Annotated[
        int,
        Field(ge=2),
        _in("validation", "Number of folds: one case in so many, by sorted name, is for "
            "validation."),
    ] = 5  # fmt: skip
    fold: Annotated[
        Count,
        _in("validation", "Index of the fold for validation; 0 takes the last case of each group."),
    ] = 0
    test: Annotated[
        BelowOne | Auto,
        _in("validation", "Fraction of the cases that choose nothing and on which the finished "
            'network is scored; 0 for none. "auto" takes those that the data set names, else half '
            "of the validation cases where these are 20 or more."),
    ] = "auto"  # fmt: skip
    test_cases: Annotated[
        tuple[str, ...],
        _in("validation", "Names of the cases that choose nothing, instead of a fraction."),
    ] = ()
    patience: Annotated[
        PositiveCount | Unlimited,
        _in("validation", "Number of epochs without a better score after which the training "
            "stops."),
    ] = "none"  # fmt: skip

    # ---- output ----
    out: Annotated[
        Path, _in("output", "Run folder: network, settings, plan, curves and previews.")
    ] = Path("trained")
    resume: Annotated[
        bool,
        _in("output", "Continue the training in the run folder with its settings, except for "
            "epochs, minutes, device and workers."),
    ] = False  # fmt: skip
    overwrite: Annotated[
        bool, _in("output", "Start a new training in a run folder that holds one already.")
    ] = False
    log: Annotated[
        tuple[Annotated[Spec, Of(logs)], ...],
        _in("output", "Logs of losses and scores, in addition to ``curves.csv``."),
    ] = (Spec(name="tensorboard"),)


def signature() -> Signature:
    """Return the signature of a training: its pairs, and every setting by keyword."""
    hints = get_type_hints(TrainSettings, include_extras=True)
    pairs = Parameter("pairs", Parameter.POSITIONAL_OR_KEYWORD, annotation=Any)
    settings = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[name])
        for name, field in TrainSettings.model_fields.items()
    ]
    return Signature([pairs, *settings])
