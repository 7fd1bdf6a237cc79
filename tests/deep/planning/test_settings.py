"""The settings of a training: stated once, in groups, and derived everywhere else."""

import inspect
from typing import get_args

import pytest

from napari_segment.deep.planning.settings import Group, TrainSettings
from napari_segment.deep.training import ENTRY, checked, train
from napari_segment.errors import SettingError


def test_every_setting_has_a_group_and_a_description():
    for name, field in ENTRY.settings.model_fields.items():
        assert field.json_schema_extra["group"] in get_args(Group), name
        assert field.description.endswith("."), name
    assert {f.json_schema_extra["group"] for f in TrainSettings.model_fields.values()} == set(
        get_args(Group)
    )


def test_the_entry_and_the_signature_derive_from_the_model():
    defaults = ENTRY.validate({})
    assert list(defaults) == list(TrainSettings.model_fields)
    parameters = dict(inspect.signature(train).parameters)
    assert list(parameters) == ["pairs", *TrainSettings.model_fields]
    assert parameters["lr"].default == "auto"
    assert checked({}).model_dump() == ENTRY.settings.model_validate({}).model_dump()


def test_the_schema_shows_the_groups():
    properties = ENTRY.schema()["properties"]
    assert properties["model"]["group"] == "network"
    assert properties["model"]["registry"] == "models"
    assert properties["epochs"]["group"] == "optimisation"
    assert all(field["group"] for field in properties.values())


@pytest.mark.parametrize(
    ("former", "name", "today"),
    [
        ({"epochs": 0}, "epochs", "auto"),
        ({"minutes": 0.0}, "minutes", "none"),
        ({"voxel": ()}, "spacing", "auto"),
        ({"voxel": [2, 1]}, "spacing", (2.0, 1.0)),
        ({"unlabelled": -1}, "ignore_index", "auto"),
        ({"unlabelled": 0}, "ignore_index", 0),
        ({"start": ""}, "init_from", "none"),
        ({"clip": 0}, "clip", "none"),
        ({"classes": []}, "classes", "auto"),
        ({"patch": (0, 8)}, "patch", SettingError),
        ({"batch": -1}, "batch", SettingError),
    ],
)
def test_former_values_are_read(former, name, today):
    if today is SettingError:
        with pytest.raises(SettingError, match=name):
            checked(former)
    else:
        assert getattr(checked(former), name) == today
