"""The architecture of nnU-Net's networks as plain values; nothing is imported by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_segment.errors import FormatError

Kind: TypeAlias = Literal["PlainConvUNet", "ResidualEncoderUNet"]
Side = Annotated[int, Field(ge=1, le=32)]
Sides: TypeAlias = tuple[Side, ...]
Width = Annotated[int, Field(ge=1, le=4096)]
Repeats = Annotated[int, Field(ge=1, le=64)]

_NORMS = {
    f"{name}{dimension}d": f"{kind}"
    for kind, name in (("instance", "InstanceNorm"), ("batch", "BatchNorm"))
    for dimension in (2, 3)
}
_ACTIVATIONS = {"LeakyReLU": "leaky_relu", "ReLU": "relu", "GELU": "gelu", "ELU": "elu"}


class Architecture(BaseModel):
    """A U-Net of nnU-Net.

    Parameters
    ----------
    kind : {"PlainConvUNet", "ResidualEncoderUNet"}
        Stacked convolutions, or residual blocks in the encoder.
    ndim : {2, 3}
        Spatial axes.
    features : tuple of int
        Channels of each stage.
    kernel_sizes, strides : tuple of tuple of int
        Of each stage, along each axis.
    blocks : tuple of int
        Convolutions, or residual blocks, of each stage of the encoder.
    decoder : tuple of int
        Convolutions of each stage of the decoder, the coarsest first.
    bias : bool
        Whether convolutions have a bias.
    norm : {"instance", "batch", "none"}
        Normalisation after each convolution.
    eps : float
        Added to its variance.
    affine : bool
        Whether it has weights.
    activation : {"leaky_relu", "relu", "gelu", "elu", "none"}
        After each normalisation.
    slope : float
        Of the leaky ReLU below 0.
    activation_first : bool
        Whether the activation stands before the normalisation.
    stem : int
        Channels of the stem of a residual encoder; 0 for those of the first stage.
    bottleneck : tuple of int
        Inner channels of bottleneck blocks; empty for basic blocks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    ndim: Literal[2, 3]
    features: tuple[Width, ...] = Field(min_length=2, max_length=16)
    kernel_sizes: tuple[Sides, ...]
    strides: tuple[Sides, ...]
    blocks: tuple[Repeats, ...]
    decoder: tuple[Repeats, ...]
    bias: bool = True
    norm: Literal["instance", "batch", "none"] = "instance"
    eps: Annotated[float, Field(gt=0, lt=1)] = 1e-5
    affine: bool = True
    activation: Literal["leaky_relu", "relu", "gelu", "elu", "none"] = "leaky_relu"
    slope: Annotated[float, Field(ge=0, le=1)] = 0.01
    activation_first: bool = False
    stem: Annotated[int, Field(ge=0, le=4096)] = 0
    bottleneck: tuple[Width, ...] = ()

    @model_validator(mode="after")
    def _check_lengths(self) -> Architecture:
        count = len(self.features)
        for name in ("kernel_sizes", "strides", "blocks"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"{name} has {len(getattr(self, name))} stages instead of {count}")
        if len(self.decoder) != count - 1:
            raise ValueError(f"the decoder has {len(self.decoder)} stages instead of {count - 1}")
        if any(len(side) != self.ndim for side in (*self.kernel_sizes, *self.strides)):
            raise ValueError(f"a kernel or stride has other than {self.ndim} axes")
        return self

    @property
    def divisors(self) -> tuple[int, ...]:
        """Return what the sizes of a tile must be multiples of."""
        products = [1] * self.ndim
        for stride in self.strides:
            products = [p * s for p, s in zip(products, stride, strict=True)]
        return tuple(products)


def read_architecture(configuration: Mapping[str, Any], ndim: int, source: str) -> Architecture:
    """Read the architecture of a configuration, in the form of old or of new plans.

    Parameters
    ----------
    configuration : mapping
        Of ``plans.json``, with what it inherits.
    ndim : int
        Axes of its patches.
    source : str
        The file, for messages.
    """
    if "architecture" not in configuration:
        return _of_old_plans(configuration, ndim, source)
    stated = configuration["architecture"]
    name = str(stated["network_class_name"]).rpartition(".")[2]
    given: Mapping[str, Any] = stated["arch_kwargs"]
    count = int(given["n_stages"])
    norm = given.get("norm_op_kwargs") or {}
    block = _last(given.get("block"))
    if block not in ("", "BasicBlockD", "BottleneckD"):
        raise _unknown("block", block, "BasicBlockD and BottleneckD", source)
    inner = given.get("bottleneck_channels")
    features = _repeated(given["features_per_stage"], count)
    if len(features) != count:
        raise FormatError(f"{source} names {count} stages, but the features of {len(features)}.")
    return Architecture(
        kind=_kind(name, source), ndim=_dimensions(ndim),
        features=features,
        kernel_sizes=_sides(given["kernel_sizes"], count, ndim),
        strides=_sides(given["strides"], count, ndim),
        blocks=_repeated(given.get("n_conv_per_stage", given.get("n_blocks_per_stage")), count),
        decoder=_repeated(given["n_conv_per_stage_decoder"], count - 1),
        bias=bool(given.get("conv_bias", False)),
        norm=_named(given.get("norm_op"), _NORMS, "normalisation", source),
        eps=norm.get("eps", 1e-5),
        affine=norm.get("affine", _last(given.get("norm_op")).startswith("Batch")),
        activation=_named(given.get("nonlin"), _ACTIVATIONS, "activation", source),
        slope=(given.get("nonlin_kwargs") or {}).get("negative_slope", 0.01),
        activation_first=bool(given.get("nonlin_first", False)),
        stem=given.get("stem_channels") or 0,
        bottleneck=_repeated(inner, count) if block == "BottleneckD" else (),
    )  # fmt: skip


def _of_old_plans(configuration: Mapping[str, Any], ndim: int, source: str) -> Architecture:
    """Read what plans before version 2.4 say of the architecture."""
    blocks = tuple(configuration["n_conv_per_stage_encoder"])
    first, most = configuration["UNet_base_num_features"], configuration["unet_max_num_features"]
    return Architecture(
        kind=_kind(str(configuration["UNet_class_name"]), source), ndim=_dimensions(ndim),
        features=tuple(min(first * 2**i, most) for i in range(len(blocks))),
        kernel_sizes=_sides(configuration["conv_kernel_sizes"], len(blocks), ndim),
        strides=_sides(configuration["pool_op_kernel_sizes"], len(blocks), ndim),
        blocks=blocks, decoder=tuple(configuration["n_conv_per_stage_decoder"]),
    )  # fmt: skip


def _dimensions(ndim: int) -> Literal[2, 3]:
    return 2 if ndim == 2 else 3


def _kind(name: str, source: str) -> Kind:
    if name == "PlainConvUNet":
        return "PlainConvUNet"
    if name == "ResidualEncoderUNet":
        return "ResidualEncoderUNet"
    raise _unknown("network", name, "PlainConvUNet and ResidualEncoderUNet", source)


def _last(name: str | None) -> str:
    return str(name).rpartition(".")[2] if name else ""


def _named(name: str | None, known: Mapping[str, str], what: str, source: str) -> Any:
    if not name:
        return "none"
    if _last(name) not in known:
        raise _unknown(what, _last(name), ", ".join(known), source)
    return known[_last(name)]


def _unknown(what: str, name: str, known: str, source: str) -> FormatError:
    return FormatError(f"{source} asks for the {what} {name!r}. Known here: {known}.")


def _repeated(value: int | Sequence[int] | None, count: int) -> tuple[int, ...]:
    return (value,) * count if isinstance(value, int) else tuple(value or ())


def _sides(
    value: int | Sequence[int | Sequence[int]], count: int, ndim: int
) -> tuple[tuple[int, ...], ...]:
    """Return a size for each stage and axis; one number stands for all."""
    stages = [value] * count if isinstance(value, int) else list(value)
    return tuple((s,) * ndim if isinstance(s, int) else tuple(s) for s in stages)
