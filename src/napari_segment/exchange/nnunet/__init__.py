"""Results folders of nnU-Net v2: https://github.com/MIC-DKFZ/nnUNet"""

from napari_segment.exchange.nnunet.folder import (
    TrainedFolder,
    describe,
    is_results_folder,
    open_folder,
)
from napari_segment.exchange.nnunet.kind import KIND
from napari_segment.exchange.nnunet.method import nnunet

__all__ = ["KIND", "TrainedFolder", "describe", "is_results_folder", "nnunet", "open_folder"]
