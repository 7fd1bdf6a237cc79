"""What it is worth to keep the memory that a network on the CPU frees for its next pass.

python benchmarks/heap.py
"""

from __future__ import annotations

import time

import torch
from prediction import PATCH, unet

from napari_segment.deep.allocator import faulted, retained_memory

NETWORKS = {"16 to 256": (16, 32, 64, 128, 256), "8 to 64": (8, 16, 32, 64)}
PASSES = 12


@torch.inference_mode()
def one(network, keep):
    """Milliseconds, and MB touched for the first time, of a pass."""
    block = torch.randn(1, 1, *PATCH)
    with retained_memory(keep):
        network(block)
        before, begun = faulted(), time.perf_counter()
        for _ in range(PASSES):
            network(block)
        taken = time.perf_counter() - begun
        return 1e3 * taken / PASSES, (faulted() - before) / PASSES / 2**20


def main():
    torch.set_num_threads(2)
    print("| features | held | ms a pass | MB of new memory a pass |\n|---|---|---|---|")
    for name, features in NETWORKS.items():
        network = unet(features).eval()
        for keep in (False, True):
            print("| {} | {} | {:.1f} | {:.0f} |".format(name, keep, *one(network, keep)))


if __name__ == "__main__":
    main()
