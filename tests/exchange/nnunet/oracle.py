"""Results folders of nnU-Net with random weights, and what nnU-Net itself predicts with them.

Only `need_oracle` and what comes after it takes nnU-Net.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch

UNET = "dynamic_network_architectures.architectures.unet"


def architecture(ndim, *, residual=False, flat_first=True, features=(4, 8)):
    """The architecture of plans of version 2.4 and later; two or more stages."""
    count = len(features)
    first = [1] + [3] * (ndim - 1) if flat_first else [3] * ndim
    second = [1] + [2] * (ndim - 1) if flat_first else [2] * ndim
    blocks = {"n_blocks_per_stage" if residual else "n_conv_per_stage": [1] + [2] * (count - 1)}
    return {
        "network_class_name": f"{UNET}.{'ResidualEncoderUNet' if residual else 'PlainConvUNet'}",
        "arch_kwargs": {
            "n_stages": count, "features_per_stage": list(features),
            "conv_op": f"torch.nn.modules.conv.Conv{ndim}d",
            "kernel_sizes": [first] + [[3] * ndim] * (count - 1),
            "strides": [[1] * ndim, second] + [[2] * ndim] * (count - 2),
            "n_conv_per_stage_decoder": [1] * (count - 1), "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{ndim}d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None, "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True}, **blocks,
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }  # fmt: skip


def configuration(patch, spacing, channels=1, scheme="ZScoreNormalization", masked=False, **more):
    function = "resample_data_or_seg_to_shape"
    common = {"force_separate_z": None, "order_z": 0}
    return {
        "data_identifier": "x", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2,
        "patch_size": list(patch), "spacing": list(spacing),
        "median_image_size_in_voxels": list(patch),
        "normalization_schemes": [scheme] * channels, "use_mask_for_norm": [masked] * channels,
        "resampling_fn_data": function, "resampling_fn_seg": function,
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, **common},
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, **common},
        "resampling_fn_probabilities": function,
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, **common},
        "architecture": architecture(len(patch)), "batch_dice": True, **more,
    }  # fmt: skip


INTENSITIES = {
    "mean": 10.0, "std": 40.0, "percentile_00_5": -60.0, "percentile_99_5": 90.0, "min": -100.0,
    "max": 120.0, "median": 8.0,
}  # fmt: skip


class Results:
    """The folder of a data set with trained configurations."""

    def __init__(self, root, configurations, *, labels=None, channels=1, transpose=(0, 1, 2),
                 reader="SimpleITKIO", ending=".nii.gz", **dataset):  # fmt: skip
        self.root = root / "Dataset001_Made"
        self.configurations = configurations
        self.dataset = {
            "channel_names": {str(i): f"channel {i}" for i in range(channels)},
            "labels": labels or {"background": 0, "low": 1, "high": 2},
            "numTraining": 2, "file_ending": ending, **dataset,
        }  # fmt: skip
        forward = list(transpose)
        self.plans = {
            "dataset_name": "Dataset001_Made", "plans_name": "nnUNetPlans",
            "image_reader_writer": reader, "label_manager": "LabelManager",
            "transpose_forward": forward, "transpose_backward": list(np.argsort(forward).tolist()),
            "configurations": configurations,
            "foreground_intensity_properties_per_channel": {
                str(i): INTENSITIES for i in range(channels)
            },
        }  # fmt: skip

    def folder(self, name):
        return self.root / f"nnUNetTrainer__nnUNetPlans__{name}"

    def write(self, name):
        """Write the two JSON files of a configuration's folder."""
        folder = self.folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dataset.json").write_text(json.dumps(self.dataset))
        (folder / "plans.json").write_text(json.dumps(self.plans))
        return folder

    def fold(
        self, name, fold=0, seed=0, mirror=(0, 1, 2), gain=1.0, own=False, file="final",
        trained_on=None,
    ):  # fmt: skip
        """Write a checkpoint of random weights as a training of nnU-Net would.

        With `own` the network is this project's, so that nnU-Net need not be installed.
        """
        folder = self.write(name) / f"fold_{fold}"
        folder.mkdir(exist_ok=True)
        make = self.own_network if own else self.network
        network = with_random_weights(make(name), seed, gain)
        if trained_on is not None:
            train(network, *trained_on)
        optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.99, nesterov=True)
        content = {
            "network_weights": network.state_dict(), "optimizer_state": optimizer.state_dict(),
            "grad_scaler_state": None,
            "logging": {"mean_fg_dice": [np.float64(0.5)], "lrs": [np.float32(1), 0.01]},
            "_best_ema": np.float64(0.3), "current_epoch": 1,
            "init_args": {
                "plans": self.plans, "configuration": name, "fold": fold,
                "dataset_json": self.dataset, "device": torch.device("cuda"),
            },
            "trainer_name": "nnUNetTrainer", "inference_allowed_mirroring_axes": mirror,
        }  # fmt: skip
        torch.save(content, folder / f"checkpoint_{file}.pth")
        return self.folder(name)

    def own_network(self, name):
        """This project's network of a configuration."""
        from napari_segment.exchange.nnunet.reading.plans import read_plans
        from napari_segment.exchange.nnunet.unet_torch import UNet

        plans = read_plans(self.folder(name))
        own = plans.configuration(name)
        return UNet(plans.inputs(own), plans.table.outputs, own.architecture)

    def network(self, name):
        """nnU-Net's own network of a configuration."""
        from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
        from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
        from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

        manager = PlansManager(json.loads(json.dumps(self.plans)))
        own = manager.get_configuration(name)
        return get_network_from_plans(
            own.network_arch_class_name, own.network_arch_init_kwargs,
            own.network_arch_init_kwargs_req_import,
            determine_num_input_channels(manager, own, self.dataset),
            manager.get_label_manager(self.dataset).num_segmentation_heads, allow_init=False,
            deep_supervision=False,
        )  # fmt: skip


def with_random_weights(network, seed, gain):
    """Change the weights at random, the head's so that every class occurs."""
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(gain * 0.3 * torch.randn(weight.shape, generator=numbers))
        for module in network.modules():
            if "InstanceNorm" in type(module).__name__ and module.weight is not None:
                module.weight.add_(1)
        (head,) = [
            m for name, m in network.named_modules() if name.startswith("decoder.seg_layers.")
        ][-1:]
        head.bias.zero_()
        head.weight.sub_(head.weight.mean(1, keepdim=True))
    return network


def train(network, volume, labels, steps=60):
    """Train a network on one normalised volume for some seconds."""
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    block = torch.from_numpy((volume - volume.mean()) / volume.std())[None, None]
    target = torch.from_numpy(labels.astype(np.int64))[None]
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(block), target).backward()
        optimizer.step()
    network.eval()


def need_oracle():
    """Skip, and say so, where nnU-Net is not installed."""
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ.setdefault(name, "/nonexistent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(
            "nnunetv2", reason="nnunetv2 is not installed (dependency group `oracle`)"
        )


@contextmanager
def float32_sums():
    """nnU-Net sums the tiles in half precision; in float32 its rounding hides no difference."""
    from nnunetv2.inference import predict_from_raw_data as module

    half, gaussian = torch.half, module.compute_gaussian

    class Wrapped:
        cache_clear = gaussian.cache_clear

        def __call__(self, *args, **settings):
            return gaussian(*args, **{**settings, "dtype": torch.float32})

    torch.half, module.compute_gaussian = torch.float32, Wrapped()
    try:
        yield
    finally:
        torch.half, module.compute_gaussian = half, gaussian


def nnunet_labels(folder, files, folds=(0,), *, mirror=True, step=0.5, previous=None, exact=True):
    """The labels that nnU-Net's predictor gives for the channels of one case, Z, Y, X."""
    from contextlib import nullcontext

    from nnunetv2.inference.export_prediction import (
        convert_predicted_logits_to_segmentation_with_correct_shape as converted,
    )
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.label_handling.label_handling import convert_labelmap_to_one_hot

    predictor = nnUNetPredictor(
        tile_step_size=step, use_mirroring=mirror, device=torch.device("cpu"), allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(folder), tuple(folds))
    manager, own = predictor.plans_manager, predictor.configuration_manager
    data, seg, properties = DefaultPreprocessor(verbose=False).run_case(
        [str(f) for f in files], None if previous is None else str(previous), manager, own,
        predictor.dataset_json,
    )  # fmt: skip
    if previous is not None:
        labels = predictor.label_manager.foreground_labels
        data = np.vstack((data, convert_labelmap_to_one_hot(seg[0], labels, data.dtype)))
    with float32_sums() if exact else nullcontext():
        logits = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(data))
        return converted(logits, manager, own, predictor.label_manager, properties)


def agreement(ours, theirs):
    """Fraction of equal voxels, and the least Dice of a class that occurs."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    dice = [
        2 * ((ours == n) & (theirs == n)).sum() / ((ours == n).sum() + (theirs == n).sum())
        for n in np.unique(theirs)
    ]
    return float((ours == theirs).mean()), float(min(dice))


def smooth_noise(shape, seed=0, sigma=1.5, margin=0):
    """A volume of smooth random intensities, 0 in a margin."""
    from scipy.ndimage import gaussian_filter

    volume = gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma) * 200 + 20
    inner = tuple(slice(margin, n - margin) for n in shape) if margin else ...
    result = np.zeros(shape, np.float32)
    result[inner] = volume[inner]
    return result


def write_nifti(path, volume, spacing, direction=None):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(volume)
    image.SetSpacing([float(s) for s in spacing[::-1]])
    if direction is not None:
        image.SetDirection(direction)
    sitk.WriteImage(image, str(path))
    return path
