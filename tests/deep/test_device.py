"""Devices: names, what is there, errors."""

import pytest
import torch

from napari_segment.deep.device import (
    devices,
    free_memory,
    is_out_of_memory,
    precision,
    resolve,
)
from napari_segment.errors import MissingError, SettingError


def test_the_cpu_is_always_there_and_last():
    actual = devices()
    assert actual[-1].name == "cpu"
    assert actual[-1].memory > 0


def test_auto_takes_the_first_device():
    assert resolve("auto") == torch.device(devices()[0].name)
    assert resolve("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:x", ""])
def test_an_unknown_name_says_what_may_be_written(name):
    with pytest.raises(SettingError, match="Write auto, cpu, cuda"):
        resolve(name)


def test_an_absent_device_says_what_is_there():
    with pytest.raises(MissingError, match=r"Here: .*cpu"):
        resolve("cuda:99")


def test_precision_by_hand_goes_before_the_rule():
    cpu = torch.device("cpu")
    assert precision(cpu, "float32") is torch.float32
    assert precision(cpu) in (torch.float32, torch.bfloat16)


def test_memory_is_some_of_the_machine():
    assert 0 < free_memory(torch.device("cpu")) <= devices()[-1].memory


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (MemoryError(), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_distinguished_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected
