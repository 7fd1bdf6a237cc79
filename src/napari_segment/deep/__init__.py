"""Networks: models, losses, training, prediction. Importing this package registers them."""

from napari_segment.deep import detection as detection
from napari_segment.deep import network as network
from napari_segment.deep.nn import losses as losses
from napari_segment.deep.nn import models as models
from napari_segment.deep.training.record import logs as logs
