"""Former names of entries' settings, so that recipes and checkpoints of before still load.

The one table of its kind: whoever renames a setting adds a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Field of a recipe of before -> the field of today.
RECIPE: dict[str, str] = {"per": "apply_to"}

# "kind.entry", or "kind.*" for every entry of a kind -> former name -> the name of today.
SETTINGS: dict[str, dict[str, str]] = {
    "filters.channels": {"which": "indices"},
    "filters.kmeans_image": {
        "choose": "selection",
        "position": "position_weight",
        "texture": "texture_weight",
    },
    "filters.bilateral": {"contrast": "intensity_sigma"},
    "filters.clahe": {"clip": "clip_limit"},
    "filters.nonlocal_means": {"patch": "patch_radius", "search": "search_radius"},
    "methods.kmeans": {
        "choose": "selection",
        "position": "position_weight",
        "texture": "texture_weight",
    },
    "methods.chan_vese": {"inside": "inside_weight", "outside": "outside_weight"},
    "methods.fill_contours": {"gap": "max_gap"},
    "methods.levels": {"values": "thresholds"},
    "methods.sauvola": {"spread": "dynamic_range"},
    "methods.phansalkar": {"spread": "dynamic_range"},
    "methods.felzenszwalb": {"smallest": "min_size"},
    "cleanups.connected_components": {"size": "min_size"},
    "cleanups.remove_small": {"size": "min_size"},
    "cleanups.remove_large": {"size": "max_size"},
    "cleanups.fill_holes": {"largest": "max_size"},
    "cleanups.relabel": {"by": "order"},
    "cleanups.merge": {"share": "min_fraction"},
    "cleanups.split_touching": {"by": "landscape", "units": "depth_units"},
    "cleanups.link_planes": {"overlap": "min_overlap", "gap": "max_gap"},
    "verbs.track": {"overlap": "min_overlap", "gap": "max_gap"},
    "cleanups.dense_crf": {
        "start": "unary",
        "distance": "spatial_sigma",
        "contrast": "intensity_sigma",
        "appearance": "appearance_weight",
        "near": "smoothness_sigma",
        "smoothness": "smoothness_weight",
    },
    "losses.boundary": {"voxel_size": "spacing"},
    "losses.hausdorff": {"voxel_size": "spacing"},
    "losses.shape_aware": {"voxel_size": "spacing"},
    "losses.distance_penalised": {"voxel_size": "spacing"},
    "losses.dice_boundary": {
        "voxel_size": "spacing",
        "first": "initial_weight",
        "last": "final_weight",
    },
    "losses.compound": {"last_weights": "final_weights"},
    "losses.balanced_bce": {"least": "min_beta"},
    "losses.exp_log": {"dice_share": "dice_weight"},
    "losses.unified_focal": {"share": "weight"},
    "models.dyn_unet": {"voxel_size": "spacing", "start_features": "features"},
    "models.segresnet": {"start_features": "features"},
    "models.segresnet_ds": {"start_features": "features"},
    "models.mednext": {"start_features": "features"},
    "models.textbook_unet": {"start_filters": "features"},
    "methods.network": {
        "fast": "precision",
        "flips": "test_time_augmentation",
        "also": "maps",
    },
    "methods.bioimageio": {"pick": "output_channel"},
    "models.mask_rcnn": {"regions": "proposals_per_image", "detections": "max_detections"},
    "plans.plan": {"unlabelled": "ignore_index"},
    "trainings.train": {
        "start": "init_from",
        "voxel": "spacing",
        "unlabelled": "ignore_index",
        "adjust": "augment_overrides",
    },
}

# "kind.entry.setting" of today -> the value of today for a former value of a former name.
VALUES: dict[str, Callable[[Any], Any]] = {
    "methods.network.precision": lambda fast: "bfloat16" if fast else "auto",
    "methods.bioimageio.output_channel": lambda channel: "auto" if channel < 0 else channel,
    "methods.sauvola.dynamic_range": lambda spread: spread or "auto",
    "methods.phansalkar.dynamic_range": lambda spread: spread or "auto",
    "cleanups.split_touching.depth_units": lambda u: "relative" if u == "share" else u,
    "cleanups.fill_holes.max_size": lambda largest: largest or "none",
    "trainings.train.ignore_index": lambda number: "auto" if int(number) < 0 else number,
}

# "kind.entry.setting" of today -> what 0 or an empty value stood for.
EMPTY: dict[str, str] = {
    "filters.channels.indices": "all",
    "filters.isotropic.side": "auto",
    "methods.network.tile": "auto",
    "methods.network.thresholds": "auto",
    "methods.network.region": "auto",
    "models.mask_rcnn.anchors": "auto",
    "trainings.train.spacing": "auto",
    "trainings.train.classes": "auto",
    "trainings.train.patch": "auto",
    "trainings.train.batch": "auto",
    "trainings.train.steps": "auto",
    "trainings.train.epochs": "auto",
    "trainings.train.lr": "auto",
    "trainings.train.init_from": "none",
    "trainings.train.minutes": "none",
    "trainings.train.clip": "none",
    "trainings.train.patience": "none",
}


def current_settings(
    kind: str, entry: str, settings: Mapping[str, Any], known: frozenset[str]
) -> dict[str, Any]:
    """Translate the former names among an entry's settings into those of today.

    Parameters
    ----------
    kind, entry : str
        The registry's name, such as "methods", and the entry's.
    settings : mapping
        Settings by name. A name that the entry knows today is left as it is.
    known : frozenset of str
        The names of today.

    Returns
    -------
    dict
        Settings with the names of today; what has no former name is unchanged.
    """
    former = {**SETTINGS.get(f"{kind}.*", {}), **SETTINGS.get(f"{kind}.{entry}", {})}
    result: dict[str, Any] = {}
    for name, value in settings.items():
        today = former.get(name, name) if name not in known else name
        convert = VALUES.get(f"{kind}.{entry}.{today}") or VALUES.get(f"{kind}.*.{today}")
        literal = EMPTY.get(f"{kind}.{entry}.{today}")
        if literal and _is_empty(value):
            result[today] = literal
        else:
            result[today] = convert(value) if convert and today != name else value
    return result


def current_fields(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the former names among a recipe's fields into those of today."""
    return {RECIPE.get(name, name): value for name, value in recipe.items()}


def _is_empty(value: object) -> bool:
    """Whether a value stood for "decide" or "no limit" before: 0, or nothing in it."""
    return isinstance(value, int | float | str | tuple | list) and not value
