"""The verbs: read, segment, replay, train, measure, compare, write.

The widgets and the command line call these, and nothing below them.
"""

from napari_segment.api.batch import Batch as Batch
from napari_segment.api.batch import Reading as Reading
from napari_segment.api.batch import convert_files as convert_files
from napari_segment.api.batch import convert_files_steps as convert_files_steps
from napari_segment.api.batch import filter_files as filter_files
from napari_segment.api.batch import filter_files_steps as filter_files_steps
from napari_segment.api.batch import measure_files as measure_files
from napari_segment.api.batch import measure_files_steps as measure_files_steps
from napari_segment.api.batch import segment_files as segment_files
from napari_segment.api.batch import segment_files_steps as segment_files_steps
from napari_segment.api.batch.object_verbs import compare_files_steps as compare_files_steps
from napari_segment.api.batch.object_verbs import consensus_files_steps as consensus_files_steps
from napari_segment.api.batch.object_verbs import edge_point_files_steps as edge_point_files_steps
from napari_segment.api.batch.object_verbs import track_files_steps as track_files_steps
from napari_segment.api.batch.object_work import Comparing as Comparing
from napari_segment.api.classifier import train_classifier as train_classifier
from napari_segment.api.cleaning import clean as clean
from napari_segment.api.cleaning import clean_steps as clean_steps
from napari_segment.api.coercion import as_image as as_image
from napari_segment.api.coercion import as_labels as as_labels
from napari_segment.api.datasets import check as check
from napari_segment.api.datasets import check_steps as check_steps
from napari_segment.api.datasets import convert_pairs as convert_pairs
from napari_segment.api.datasets import convert_pairs_steps as convert_pairs_steps
from napari_segment.api.edges import CANNY as CANNY
from napari_segment.api.edges import edge_point_steps as edge_point_steps
from napari_segment.api.edges import edge_points as edge_points
from napari_segment.api.editing.session import EditSession as EditSession
from napari_segment.api.editing.verbs import edit_session as edit_session
from napari_segment.api.editing.verbs import replay_edits as replay_edits
from napari_segment.api.editing.verbs import review as review
from napari_segment.api.editing.verbs import session_labels as session_labels
from napari_segment.api.files import read as read
from napari_segment.api.files import write as write
from napari_segment.api.filtering import apply_filters as apply_filters
from napari_segment.api.filtering import filter_steps as filter_steps
from napari_segment.api.linking import consensus as consensus
from napari_segment.api.linking import slices_to_label_next as slices_to_label_next
from napari_segment.api.markers import marked as marked
from napari_segment.api.models import add_model as add_model
from napari_segment.api.models import add_model_steps as add_model_steps
from napari_segment.api.models import find_model as find_model
from napari_segment.api.models import list_models as list_models
from napari_segment.api.models import model_card as model_card
from napari_segment.api.models import note_model_use as note_model_use
from napari_segment.api.models import remove_model as remove_model
from napari_segment.api.models import verify_models as verify_models
from napari_segment.api.models import verify_models_steps as verify_models_steps
from napari_segment.api.networks import augment_preview as augment_preview
from napari_segment.api.networks import devices as devices
from napari_segment.api.networks import export as export
from napari_segment.api.networks import find_runs as find_runs
from napari_segment.api.networks import network_preview as network_preview
from napari_segment.api.networks import summary as summary
from napari_segment.api.object_classifier import (
    train_object_classifier as train_object_classifier,
)
from napari_segment.api.signatures import cross_validate as cross_validate
from napari_segment.api.signatures import edit as edit
from napari_segment.api.signatures import segment as segment
from napari_segment.api.signatures import train as train
from napari_segment.api.surfaces import surfaces as surfaces
from napari_segment.api.types import ImageLike as ImageLike
from napari_segment.api.types import LabelsLike as LabelsLike
from napari_segment.api.types import ModelLike as ModelLike
from napari_segment.api.types import PairsLike as PairsLike
from napari_segment.api.verbs import aggregate as aggregate
from napari_segment.api.verbs import compare as compare
from napari_segment.api.verbs import complete as complete
from napari_segment.api.verbs import error_map as error_map
from napari_segment.api.verbs import measure as measure
from napari_segment.api.verbs import recipe_of as recipe_of
from napari_segment.api.verbs import replay as replay
from napari_segment.api.verbs import segment_steps as segment_steps
from napari_segment.api.verbs import track as track
from napari_segment.engine.compilation import compile_kernels as compile_kernels
from napari_segment.engine.compilation import compile_kernels_steps as compile_kernels_steps
from napari_segment.engine.compilation import is_compiled as is_compiled
from napari_segment.engine.execute import as_seen as as_seen
