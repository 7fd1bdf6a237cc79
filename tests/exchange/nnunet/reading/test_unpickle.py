"""Hostile checkpoints are refused with the name of what they hold, and nothing of them runs."""

from __future__ import annotations

import builtins
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from napari_segment.errors import FormatError
from napari_segment.exchange.nnunet.reading import archive
from napari_segment.exchange.nnunet.reading.unpickle import Unread, read_pickle
from napari_segment.exchange.nnunet.reading.weights_torch import read_weights


class Call:
    """What a pickle turns into a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.fixture
def trap(tmp_path):
    """A file that a hostile pickle makes when it runs."""
    return tmp_path / "ran"


def hostile(trap):
    touch = f"open({str(trap)!r}, 'w')"
    return {
        "posix.system": Call(os.system, f"touch {trap}"),
        "builtins.eval": Call(eval, touch),
        "builtins.exec": Call(exec, touch),
        "builtins.getattr": Call(getattr, {}, "keys"),
        "_io.open": Call(open, str(trap), "w"),
        "builtins.__import__": Call(builtins.__import__, "os"),
        "torch.storage._load_from_bytes": Call(torch.storage._load_from_bytes, b""),
    }


@pytest.mark.parametrize("name", hostile("x"))
@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("nested", [False, True])
def test_calls_are_refused_by_name(name, protocol, nested, trap):
    value = hostile(trap)[name]
    content = {"network_weights": OrderedDict(a=[1, (2, value)])} if nested else value
    data = pickle.dumps(content, protocol)
    with pytest.raises(FormatError, match=r"refused, and nothing of it was run") as caught:
        read_pickle(data, "checkpoint_final.pth")
    wanted = {name, name.replace("builtins", "__builtin__").replace("_io", "io")}
    assert any(f"'{one}'" in str(caught.value) for one in wanted)
    assert not trap.exists()


def test_a_checkpoint_with_a_call_in_it_is_refused(trap, tmp_path):
    path = tmp_path / "checkpoint_final.pth"
    weights = {"w": torch.ones(2)}
    content = {"network_weights": weights, "logging": Call(os.system, f"touch {trap}")}
    torch.save(content, path)
    with pytest.raises(FormatError, match=r"checkpoint_final.pth holds 'posix.system'"):
        read_weights(path)
    assert not trap.exists()


def test_numpy_values_that_hold_objects_are_refused(trap):
    array = np.empty(1, object)
    array[0] = 5
    with pytest.raises(FormatError, match="object arrays"):
        read_pickle(pickle.dumps(array, 2), "x")
    array[0] = Call(os.system, f"touch {trap}")
    with pytest.raises(FormatError, match=r"object arrays|posix.system"):
        read_pickle(pickle.dumps(array, 2), "x")
    assert not trap.exists()


def test_states_of_classes_and_their_instances_are_refused():
    class_instance = b"\x80\x02cbuiltins\nobject\n)\x81."
    with pytest.raises(FormatError, match=r"builtins.object"):
        read_pickle(class_instance, "x")
    with pytest.raises(FormatError, match="operation INST"):
        read_pickle(b"(ios\nsystem\n.", "x")
    with pytest.raises(FormatError, match=r"a call of 'numpy.ndarray'"):
        read_pickle(b"\x80\x02cnumpy\nndarray\n)R.", "x")
    with pytest.raises(FormatError, match="a state for a list"):
        read_pickle(b"\x80\x02]}b.", "x")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x80\x02", b"\x80\x02(.", b"\x80\x02u.", b"\x80\x02h\x05.",
        b"\x80\x02r\xff\xff\xff\xff.", b"\x80\x02}((\x85\x85N\x73.", b"\x80\x02K\x01K\x02a.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", b"garbage",
    ],
)  # fmt: skip
def test_damaged_pickles_say_so(data):
    """Cut off, unbalanced, without a value, or with huge sizes."""
    with pytest.raises(FormatError, match=r"x\.pth"):
        read_pickle(data, "x.pth")


def test_a_list_that_holds_itself_is_harmless():
    value = read_pickle(b"\x80\x02]q\x00h\x00a.", "x.pth")
    assert value[0] is value


def test_long_numbers_and_many_values_are_refused(monkeypatch):
    with pytest.raises(FormatError, match="30 digits"):
        read_pickle(pickle.dumps(10**40, 2), "x")
    monkeypatch.setattr("napari_segment.exchange.nnunet.reading.unpickle.MOST_OPERATIONS", 50)
    with pytest.raises(FormatError, match="more than 50 values"):
        read_pickle(pickle.dumps(list(range(100)), 2), "x")


def test_what_nnunet_writes_is_read():
    content = {
        "a": (1, 2.5, "text", None, True, [1], b"bytes"), "b": np.float64(3), "c": np.float32(2),
        "d": np.arange(3), "e": torch.device("cuda"), 7: OrderedDict(x=1),
    }  # fmt: skip
    for protocol in (2, 4):
        read = read_pickle(pickle.dumps(content, protocol), "x")
        assert read["a"] == content["a"]
        assert read[7] == {"x": 1}
        assert all(isinstance(read[key], Unread) for key in "bcde")


# ---- the archive around it ----


def saved(path, content):
    torch.save(content, path)
    return path


def rewritten(path, change, compression=zipfile.ZIP_STORED):
    """Write a checkpoint again with changed members."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members = change(members)
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, data in members.items():
            new.writestr(name, data)
    return path


@pytest.fixture
def checkpoint(tmp_path):
    flat = torch.arange(12.0)
    weights = OrderedDict(a=flat.view(3, 4).T, b=flat[4:8].half(), n=torch.tensor(3))
    return saved(
        tmp_path / "checkpoint_final.pth",
        {"network_weights": weights, "optimizer_state": {"state": {0: {"m": torch.ones(9)}}},
         "trainer_name": "nnUNetTrainer", "init_args": {"configuration": "2d"},
         "inference_allowed_mirroring_axes": (0, 1)},
    )  # fmt: skip


def test_tensors_are_those_of_torch(checkpoint):
    read = read_weights(checkpoint)
    with_torch = torch.load(checkpoint, weights_only=True)["network_weights"]
    assert set(read.tensors) == {"a", "b", "n"}
    assert all(torch.equal(read.tensors[k].double(), with_torch[k].double()) for k in with_torch)
    assert read.tensors["b"].dtype == torch.float32
    assert (read.trainer, read.configuration, read.mirror_axes) == ("nnUNetTrainer", "2d", (0, 1))


def test_compressed_members_are_refused(checkpoint):
    rewritten(checkpoint, lambda m: m, zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match=r"compressed or encrypted|more than the file can hold"):
        read_weights(checkpoint)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(checkpoint):
    bomb = b"0" * 10**7
    rewritten(checkpoint, lambda m: {**m, "archive/data/bomb": bomb}, zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match="more than the file can hold"):
        read_weights(checkpoint)


def test_large_descriptions_are_refused(checkpoint, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_DESCRIPTION", 100)
    with pytest.raises(FormatError, match=r"no data.pkl of at most 100 bytes"):
        read_weights(checkpoint)


def test_a_tensor_that_leaves_its_storage_is_refused(checkpoint):
    def shorter(members):
        return {k: v[:-4] if k.endswith("data/0") else v for k, v in members.items()}

    with pytest.raises(FormatError, match="should have 48 bytes"):
        read_weights(rewritten(checkpoint, shorter))


def test_paths_outside_are_never_opened(tmp_path, checkpoint):
    """A member is looked up in the archive alone, whatever its key."""
    (tmp_path / "secret").write_bytes(b"x" * 48)

    def elsewhere(members):
        old, new = b"X\x01\x00\x00\x000", b"X\x0c\x00\x00\x00../../secret"
        name = next(k for k in members if k.endswith("data.pkl"))
        return {**members, name: members[name].replace(old, new, 1)}

    with pytest.raises(FormatError, match=r"storage '../../secret' should have 48 bytes"):
        read_weights(rewritten(checkpoint, elsewhere))


def test_files_that_are_no_archives_say_so(tmp_path):
    path = tmp_path / "checkpoint_final.pth"
    with pytest.raises(FormatError, match="There is no file"):
        read_weights(path)
    path.write_bytes(pickle.dumps({"network_weights": {}}))
    with pytest.raises(FormatError, match=r"before 1.6"):
        read_weights(path)
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(FormatError, match="no zip archive of PyTorch"):
        read_weights(path)
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match=r"no data.pkl"):
        read_weights(path)
    with pytest.raises(FormatError, match="no 'network_weights'"):
        read_weights(saved(path, {"state": 1}))


def test_weights_that_are_not_finite_are_refused(tmp_path):
    path = saved(tmp_path / "c.pth", {"network_weights": {"w": torch.tensor([1.0, float("nan")])}})
    with pytest.raises(FormatError, match="not finite"):
        read_weights(path)


def test_nothing_is_unpickled(checkpoint, monkeypatch):
    """Neither Python's unpickler nor PyTorch's is called."""

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(pickle, "Unpickler", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    assert set(read_weights(checkpoint).tensors) == {"a", "b", "n"}
