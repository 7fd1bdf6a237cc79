"""The lists of what a bundle may ask for; all else is refused."""

from __future__ import annotations

# Networks of MONAI, each with arguments of former versions that change nothing.
NETWORKS: dict[str, tuple[str, ...]] = {
    "UNet": (),
    "BasicUNet": (),
    "BasicUNetPlusPlus": (),
    "AttentionUnet": (),
    "DynUNet": (),
    "SegResNet": (),
    "SegResNetDS": (),
    "SwinUNETR": ("img_size",),
    "UNETR": (),
    "VNet": (),
    "HighResNet": (),
}

# Transforms of MONAI, each with the arguments that are read; None for those with nothing to do,
# because the image comes with its channels first and as float32.
TRANSFORMS: dict[str, tuple[str, ...] | None] = {
    "LoadImage": None,
    "EnsureChannelFirst": None,
    "AddChannel": None,
    "AsChannelFirst": None,
    "EnsureType": None,
    "ToTensor": None,
    "Identity": None,
    "Orientation": ("axcodes", "as_closest_canonical"),
    "Spacing": (
        "pixdim", "mode", "padding_mode", "diagonal", "align_corners", "scale_extent",
        "recompute_affine", "min_pixdim", "max_pixdim",
    ),
    "ScaleIntensity": ("minv", "maxv", "factor", "channel_wise"),
    "ScaleIntensityRange": ("a_min", "a_max", "b_min", "b_max", "clip"),
    "ScaleIntensityRangePercentiles": (
        "lower", "upper", "b_min", "b_max", "clip", "relative", "channel_wise",
    ),
    "NormalizeIntensity": ("subtrahend", "divisor", "nonzero", "channel_wise"),
    "ThresholdIntensity": ("threshold", "above", "cval"),
    "ShiftIntensity": ("offset",),
    "AdjustContrast": ("gamma", "invert_image", "retain_stats"),
}  # fmt: skip


def class_name(target: str, package: str) -> str:
    """Return the name of a class in ``_target_``; the whole where it is not of that package."""
    return target.rpartition(".")[2] if target.startswith(package) else target


def transform_name(target: str) -> str:
    """Return the name of a transform without the "d", "D" or "Dict" of its dictionary form."""
    name = class_name(target, "monai.transforms.")
    for ending in ("Dict", "d", "D"):
        if name.endswith(ending) and name.removesuffix(ending) in TRANSFORMS:
            return name.removesuffix(ending)
    return name
