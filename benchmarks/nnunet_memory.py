"""Peak memory of TotalSegmentator's five networks on a CT of 512 × 512 × 531, killed and resumed.

Run with::

    python benchmarks/nnunet_memory.py                  # the whole: hours on a CPU
    python benchmarks/nnunet_memory.py --sparse         # few tiles differ from air: minutes
    python benchmarks/nnunet_memory.py --small          # small networks and volume: seconds

Folders of the form of TotalSegmentator's are written with random weights of the architecture of its
plans (six stages, 32 to 320 channels, tiles of 128 voxels, 1.5 mm, 24 + 26 + 18 + 23 + 26 classes).
A process of its own segments an int16 volume with a store and says its peak memory; it is killed
with SIGKILL in its second network and started again, and the labels are compared with those of a
run in memory. With ``--sparse`` all but one corner of the volume is air, whose tiles go through a
network once: the memory is that of the whole volume, the time is not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FULL = {"shape": (531, 512, 512), "spacing": (1.0, 0.75, 0.75), "patch": 128,
        "features": (32, 64, 128, 256, 320, 320), "corner": 64}  # fmt: skip
SMALL = {"shape": (70, 96, 96), "spacing": (1.0, 0.75, 0.75), "patch": 32,
         "features": (4, 8, 16), "corner": 24}  # fmt: skip
AIR = -1024


def plans_of(size):
    count = len(size["features"])
    resampling = {"force_separate_z": None, "order_z": 0}
    function = "resample_data_or_seg_to_shape"
    configuration = {
        "patch_size": [size["patch"]] * 3, "spacing": [1.5] * 3,
        "normalization_schemes": ["CTNormalization"], "use_mask_for_norm": [False],
        "resampling_fn_data": function, "resampling_fn_seg": function,
        "resampling_fn_probabilities": function,
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, **resampling},
        "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, **resampling},
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, **resampling},
        "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": size["features"][0],
        "unet_max_num_features": max(size["features"]),
        "n_conv_per_stage_encoder": [2] * count, "n_conv_per_stage_decoder": [2] * (count - 1),
        "pool_op_kernel_sizes": [[1] * 3] + [[2] * 3] * (count - 1),
        "conv_kernel_sizes": [[3] * 3] * count,
    }  # fmt: skip
    intensities = {"mean": 0.0, "std": 400.0, "percentile_00_5": -1004.0, "percentile_99_5": 1588.0}
    return {
        "dataset_name": "made", "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2], "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "foreground_intensity_properties_per_channel": {"0": intensities},
    }  # fmt: skip


def write_weights(root, size):
    """Write the five folders with random weights."""
    import torch

    from napari_segment.exchange.nnunet.reading.plans import read_plans
    from napari_segment.exchange.nnunet.unet_torch import UNet
    from napari_segment.exchange.totalsegmentator import TASKS

    for part in TASKS["total"].parts:
        folder = root / f"Dataset{part.dataset}_made" / "T__nnUNetPlans__3d_fullres"
        (folder / "fold_0").mkdir(parents=True)
        labels = {"background": 0, **{n: i for i, n in enumerate(part.classes, 1)}}
        data = {"channel_names": {"0": "CT"}, "labels": labels, "file_ending": ".nii.gz"}
        (folder / "dataset.json").write_text(json.dumps(data))
        (folder / "plans.json").write_text(json.dumps(plans_of(size)))
        own = read_plans(folder).configuration("3d_fullres")
        torch.manual_seed(part.dataset)
        network = UNet(1, len(labels), own.architecture)
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(0.05 * torch.randn_like(weight))
        content = {"network_weights": network.state_dict(), "trainer_name": "T",
                   "init_args": {"configuration": "3d_fullres"},
                   "inference_allowed_mirroring_axes": None}  # fmt: skip
        torch.save(content, folder / "fold_0" / "checkpoint_final.pth")


def volume_of(size, sparse):
    """A CT of smooth noise, or of air with noise in a corner."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    shape = (size["corner"],) * 3 if sparse else size["shape"]
    noise = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), 2) * 4000
    if not sparse:
        return noise.astype(np.int16)
    volume = np.full(size["shape"], AIR, np.int16)
    volume[tuple(slice(0, n) for n in shape)] = noise
    return volume


def child(options):
    """Segment the volume, print each Step and the peak memory."""
    from napari_segment import Image, api

    size = SMALL if options.small else FULL
    affine = np.diag([*size["spacing"], 1.0])
    volume = np.load(options.folder / "volume.npy")
    image = Image(volume, "ZYX", size["spacing"], "mm", affine=affine)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    settings = {"task": "total", "weights_folder": options.folder / "weights",
                "precision": options.precision}  # fmt: skip
    if options.store:
        settings["store"] = options.folder / "store"
    steps = api.segment_steps(image, api.recipe_of(("totalsegmentator", settings)))
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            labels = np.asarray(stop.value.data)
            break
        print(
            json.dumps({"done": step.done, "total": step.total, "message": step.message}),
            flush=True,
        )
    np.save(options.folder / f"{options.child}.npy", labels)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak": peak, "before": before}), flush=True)


def run(options, name, *, store, kill=False):
    """Run the child; with `kill`, end it in the middle of its second network."""
    command = [sys.executable, "-P", __file__, "--child", name, "--folder", str(options.folder),
               "--precision", options.precision]  # fmt: skip
    command += ["--small"] * options.small + ["--store"] * store
    began, last, peak = time.perf_counter(), "", 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            said = json.loads(line)
            peak = said.get("peak", peak)
            if "tiles" in said.get("message", "") and said["message"] != last:
                last = said["message"]
                print(f"  {last}", flush=True)
            half = said.get("done", 0) > 0.5 * max(said.get("total", 0), 4)
            if kill and half and last.startswith("Part 2"):
                os.kill(process.pid, signal.SIGKILL)
                print(f"  killed at tile {said['done']} of {said['total']} of part 2")
                return 0, time.perf_counter() - began
    if process.returncode and not kill:
        sys.exit(f"the process of {name!r} ended with {process.returncode}")
    return peak, time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--whole", action="store_true", help="the run in memory alone")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", default="")
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    if options.child:
        child(options)
        return
    size = SMALL if options.small else FULL
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        write_weights(options.folder / "weights", size)
        np.save(options.folder / "volume.npy", volume_of(size, options.sparse))
        print(f"{size['shape']} int16, 117 classes, {options.precision}")
        peak, seconds = run(options, "memory", store=False)
        print(f"in memory: peak {peak / 1e9:.2f} GB, {seconds:.0f} s", flush=True)
        if options.whole:
            return
        run(options, "killed", store=True, kill=True)
        peak, seconds = run(options, "resumed", store=True)
        print(f"resumed:   peak {peak / 1e9:.2f} GB, {seconds:.0f} s")
        one, other = (np.load(options.folder / f"{n}.npy") for n in ("memory", "resumed"))
        print(f"labels equal: {np.array_equal(one, other)}; {len(np.unique(one))} classes occur")


if __name__ == "__main__":
    main()
