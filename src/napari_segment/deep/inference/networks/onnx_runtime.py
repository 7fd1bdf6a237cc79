"""Run networks with ONNX Runtime instead of PyTorch, and write them as ONNX."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_segment.deep.checkpoint import Checkpoint, versions
from napari_segment.deep.inference.networks.checkpoint_files import file_hashes
from napari_segment.errors import MissingError
from napari_segment.io.replacing import placing

if TYPE_CHECKING:
    from torch import Tensor


class OnnxNetwork:
    """A network in an ONNX file, called as a PyTorch network is.

    Parameters
    ----------
    path : Path
        The file; one input ``(B, C, *S)``, the first output is taken.
    device : str
        "cpu", or "cuda:0" with onnxruntime-gpu.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        runtime = _runtime()
        providers = ["CPUExecutionProvider"]
        if device.startswith("cuda"):
            providers.insert(0, "CUDAExecutionProvider")
        self.session = runtime.InferenceSession(os.fspath(path), providers=providers)
        first = self.session.get_inputs()[0]
        self.input, self.input_shape = first.name, tuple(first.shape)
        self.metadata = dict(self.session.get_modelmeta().custom_metadata_map)

    def __call__(self, block: Tensor) -> Tensor:
        import torch

        array = np.ascontiguousarray(block.cpu().numpy(), np.float32)
        (first, *_) = self.session.run(None, {self.input: array})
        return torch.from_numpy(first).to(block.device)


def exported(checkpoint: Checkpoint, tile: Sequence[int], device: str) -> OnnxNetwork:
    """Return a checkpoint's network as ONNX, written into its folder once per size of tile.

    The file is named after the contents of the network's files and the versions that wrote it.
    """
    sides = "x".join(map(str, tile))
    identity = json.dumps([file_hashes(checkpoint), versions()], sort_keys=True)
    name = f"{sides}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.onnx"
    path = checkpoint.folder / "onnx" / name
    if not path.exists():
        export(checkpoint.network(), (checkpoint.channels_in, *tile), path)
    return OnnxNetwork(path, device)


def export(network: Any, shape: Sequence[int], path: Path) -> None:
    """Write a network as ONNX for inputs ``(any B, *shape)``.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode.
    shape : sequence of int
        Channels and spatial size.
    path : Path
        The file to write, whole or not at all.
    """
    import torch

    _runtime()
    example = torch.zeros(2, *shape)
    with placing(path) as unfinished:
        try:
            torch.onnx.export(
                network.cpu(), (example,), unfinished, dynamo=True, external_data=False,
                verbose=False, dynamic_shapes=({0: torch.export.Dim("batch")},),
            )  # fmt: skip
        except ImportError as error:
            raise MissingError(
                f"Writing ONNX needs {error.name}: pip install onnxscript."
            ) from error


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """Ask ONNX Runtime, which reads it once when it is imported, to report nothing to anybody."""
    given = "ORT_DISABLE_TELEMETRY" in os.environ
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        yield
    finally:
        if not given:
            del os.environ["ORT_DISABLE_TELEMETRY"]


def _runtime() -> Any:
    try:
        with _no_telemetry():
            import onnxruntime
    except ImportError:
        raise MissingError(
            "This needs ONNX Runtime: pip install onnxruntime, and onnxscript to write ONNX."
        ) from None
    return onnxruntime
