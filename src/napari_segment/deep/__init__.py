"""Networks: models, losses, training, prediction. Importing this package registers them."""

from napari_segment.deep import crf as crf
from napari_segment.deep import logs as logs
from napari_segment.deep import losses as losses
from napari_segment.deep import models as models
from napari_segment.deep import network as network
from napari_segment.deep import objects as objects
