"""Connect the processes of one training: one, or those that torchrun or SLURM started."""

from __future__ import annotations

import gc
import os
from time import sleep
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn

_SETTLED = 0.2  # seconds in which gloo's threads come to rest

T = TypeVar("T")


class Group:
    """One process among those that train together.

    With ``RANK`` and ``WORLD_SIZE`` in the environment (torchrun) or ``SLURM_PROCID`` and
    ``SLURM_NTASKS`` (srun) the processes find each other; else this one is alone.

    Parameters
    ----------
    device : torch.device
        Where this process computes; a CUDA device gives way to the one of its local rank.
    """

    def __init__(self, device: torch.device) -> None:
        self.rank, self.size = ranks()
        self.device, self._opened = device, False
        if self.size > 1 and device.type == "cuda":
            local = os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0"))
            self.device = torch.device("cuda", int(local))
            torch.cuda.set_device(self.device)
        if self.size > 1 and not dist.is_initialized():
            backend = "nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend, rank=self.rank, world_size=self.size)
            self._opened = True

    @property
    def leads(self) -> bool:
        """Return whether this process writes files and speaks."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> Any:
        """Return the network, with gradients averaged over the processes."""
        if self.size == 1:
            return network
        ids = [self.device.index] if self.device.type == "cuda" else None
        # A frozen encoder has parameters without gradients until it is set free.
        return nn.parallel.DistributedDataParallel(
            network, device_ids=ids, find_unused_parameters=True
        )

    def any(self, flag: bool) -> bool:
        """Return whether some process says so."""
        if self.size == 1:
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared.item())

    def mean(self, value: float) -> float:
        """Mean of a number over the processes."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, device=self.device, dtype=torch.float64)
        dist.all_reduce(shared)
        return float(shared.item()) / self.size

    def from_leader(self, value: float) -> float:
        """Return the leading process's number, so that clocks agree."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, device=self.device, dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared.item())

    def same(self, value: T) -> T:
        """Return the leading process's object, which must be picklable."""
        if self.size == 1:
            return value
        shared = [value]
        dist.broadcast_object_list(shared, 0)
        return shared[0]

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def gather(self, values: list[T]) -> list[T]:
        """Return the lists of all processes, one after the other."""
        if self.size == 1:
            return values
        parts: list[list[T]] = [[]] * self.size
        dist.all_gather_object(parts, values)
        return [item for part in parts for item in part]

    def close(self) -> None:
        """Leave the processes that this one has joined.

        Threads of gloo outlive this, as torch's wrapped networks keep hold of them. One that
        still lets go of the last tensors while Python ends aborts the process
        (pytorch/pytorch#179291), so they are given time to do so now.
        """
        if self._opened and dist.is_initialized():
            gc.collect()
            dist.destroy_process_group()
            if self.device.type == "cpu":
                sleep(_SETTLED)


def ranks() -> tuple[int, int]:
    """Rank and number of processes, from the environment."""
    for rank, size in (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")):
        if rank in os.environ and size in os.environ and "MASTER_ADDR" in os.environ:
            return int(os.environ[rank]), int(os.environ[size])
    return 0, 1
