"""Prediction in tiles compared with MONAI's sliding window: time, labels and memory.

Run with::

    python benchmarks/prediction.py                  # a part of the volume, about five minutes
    python benchmarks/prediction.py --full --overlap 0.25   # times of 128 x 512 x 512 alone
    python benchmarks/prediction.py --full --overlap 0.5    # the same, two to four minutes each
    python benchmarks/prediction.py --memory                # the memory figures alone

*own* is the time spent inside the network's forward passes of the same run, so *total / own* is
what tiling, blending and decoding add. Both sides use the same tiles and the same weights.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

PATCH = (64, 96, 96)
NETWORKS = {"real, 16 to 256": (16, 32, 64, 128, 256), "tiny, 8 to 64": (8, 16, 32, 64)}
MEMORY = {
    "4 classes, 128x512x512": (4, (128, 512, 512), (64, 96, 96)),
    "8 classes, 512x256x256": (8, (512, 256, 256), (64, 128, 128)),
}


class Timed:
    """A network, and the time spent in it."""

    def __init__(self, network, settings=None):
        self.network, self.seconds, self.settings = network, 0.0, settings

    def __call__(self, block):
        begun = time.perf_counter()
        output = self.network(block)
        self.seconds += time.perf_counter() - begun
        return output


def unet(features, classes=4):
    import torch
    from monai.networks.nets import UNet

    torch.manual_seed(0)
    strides = (2,) * (len(features) - 1)
    return UNet(3, 1, classes, features, strides, num_res_units=2).eval()


def ours(network, image, overlap, tile=PATCH, **settings):
    from napari_segment.deep.inference import predict
    from napari_segment.step import run

    return run(predict(network, image, tile=tile, overlap=overlap, **settings))


def monais(network, image, overlap, tile=PATCH):
    import torch
    from monai.inferers import sliding_window_inference

    from napari_segment.deep.inference import Grid

    profiles = Grid(image.shape[1:], tile, overlap).profiles
    weights = torch.from_numpy(np.einsum("i,j,k->ijk", *profiles))
    with torch.inference_mode():
        logits = sliding_window_inference(
            torch.from_numpy(image)[None], tile, 1, network, overlap, roi_weight_map=weights
        )
        return logits[0].argmax(0).numpy().astype(np.uint8)


def noise(shape):
    return np.random.default_rng(0).standard_normal((1, *shape), np.float32)


def timed(call, network, *arguments, **settings):
    watched = Timed(network)
    begun = time.perf_counter()
    result = call(watched, *arguments, **settings)
    return result, time.perf_counter() - begun, watched.seconds


def speed(shape, overlaps, rounds):
    """Total and own time of both sides, in turns in one process."""
    image = noise(shape)
    for name, features in NETWORKS.items():
        network = unet(features)
        for call, settings in ((ours, {}), (monais, {}), (ours, {"precision": "bfloat16"})):
            call(network, noise(PATCH), 0.5, **settings)  # first calls
        for overlap in overlaps:
            durations = {"ours": [], "MONAI": [], "bfloat16": []}
            for _ in range(rounds):
                for side, call, settings in (
                    ("ours", ours, {}), ("MONAI", monais, {}),
                    ("bfloat16", ours, {"precision": "bfloat16"}),
                ):  # fmt: skip
                    labels, total, own = timed(call, network, image, overlap, **settings)
                    durations[side].append((total, own))
                    if side == "ours":
                        mine = labels
                    elif side == "MONAI":
                        same = float((mine == labels).mean())
            print(json.dumps(row(name, overlap, durations, same)), flush=True)


def row(name, overlap, durations, same):
    total = {side: median(t for t, _ in times) for side, times in durations.items()}
    return {
        "network": name,
        "overlap": overlap,
        "seconds": round(total["ours"], 2),
        "total / own": round(median(t / o for t, o in durations["ours"]), 3),
        "MONAI's total / own": round(median(t / o for t, o in durations["MONAI"]), 3),
        "MONAI / ours": round(total["MONAI"] / total["ours"], 3),
        "MONAI / bfloat16": round(total["MONAI"] / total["bfloat16"], 3),
        "agreement": same,
    }


# ---- memory: each side in a process of its own, with a network that takes none ----


def memory():
    for name in MEMORY:
        used = {side: _measured(side, name) for side in ("ours", "MONAI")}
        share = used["ours"] / used["MONAI"]
        print(json.dumps({"volume": name, **used, "ours / MONAI": round(share, 3)}), flush=True)


def _measured(side, name):
    command = [sys.executable, __file__, "--one", side, name]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def one(side, name):
    """Peak memory of one prediction above what was held before it, in MB."""
    classes, shape, tile = MEMORY[name]

    def network(block):
        return block.repeat(1, classes, 1, 1, 1)

    call = {"ours": ours, "MONAI": monais}[side]
    call(network, noise(tile), 0.5, tile)  # imports and first calls
    image = noise(shape)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _status("VmRSS")
    call(network, image, 0.5, tile)
    print(round(_status("VmHWM") - before))


def _status(name):
    """A line of this process's memory, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--overlap", type=float, help="times alone, with this overlap alone")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "VOLUME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(*options.one)
        return
    if options.overlap is None:
        memory()
    if not options.memory:
        overlaps = (0.25, 0.5) if options.overlap is None else (options.overlap,)
        speed((128, 512, 512) if options.full else (64, 168, 168), overlaps, options.rounds)


if __name__ == "__main__":
    main()
