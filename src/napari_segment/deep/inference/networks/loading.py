"""Load the networks of checkpoints and combine them into one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.device import Precision
from napari_segment.deep.inference.networks.checkpoint_files import file_states
from napari_segment.deep.inference.options import Options, OutputName
from napari_segment.errors import SettingError
from napari_segment.io.changed import State


def load_network(
    checkpoints: Sequence[Checkpoint], options: Options, outputs: Sequence[OutputName]
) -> Any:
    """Load the networks of checkpoints as one network that gives the requested outputs.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
        The members of an ensemble, or one.
    options : Options
        Backend, precision and test-time augmentation.
    outputs : sequence of str
        With "disagreement" the members' statistics are outputs too (`EnsembleStatistics`).

    Returns
    -------
    callable
        ``(B, C, *S)`` to ``(B, K, *S)``.
    """
    from napari_segment.deep.inference.networks import composite_torch as composite

    networks = [_load_member(c, options) for c in checkpoints]
    if options.test_time_augmentation:
        axes = range(-checkpoints[0].ndim, 0)
        objects = checkpoints[0].objects
        flow = objects is not None and objects.target == "flow"
        networks = [composite.MirroredNetwork(n, axes, flow) for n in networks]
    if "disagreement" in outputs:
        if len(networks) < 2:
            raise SettingError("Disagreement needs at least two checkpoints of the same task.")
        return composite.EnsembleStatistics(networks, checkpoints[0].activation)
    return composite.Ensemble(networks) if len(networks) > 1 else networks[0]


def _load_member(checkpoint: Checkpoint, options: Options) -> Any:
    if options.backend == "onnx":
        from napari_segment.deep.inference.networks.onnx_runtime import exported

        tile = options.tile or checkpoint.patch
        return exported(checkpoint, tile, options.device)
    folder = str(checkpoint.folder.resolve())
    return _load_module(folder, file_states(checkpoint), options.precision)


@lru_cache(maxsize=8)
def _load_module(folder: str, states: State, precision: Precision) -> Any:  # noqa: ARG001 - new weights, new network
    """Build a network once for all time points and images of a process."""
    from napari_segment.deep.inference.compute.forward_torch import channels_last, reduced_on_cpu

    checkpoint = Checkpoint.load(folder)
    network = checkpoint.network()
    if reduced_on_cpu(precision):
        network.to(memory_format=channels_last(checkpoint.ndim + 2))
    return network
