"""External data of ONNX files: located wherever it hides, and read from their folder only."""

from __future__ import annotations

import os

import numpy as np
import pytest

from napari_segment.errors import FormatError
from napari_segment.exchange.onnx.external_data import (
    _FIELDS,
    check_external_data,
    external_locations,
)
from napari_segment.exchange.onnx.session import load_onnx

onnx = pytest.importorskip("onnx")


def tensor(location):
    """A tensor of one number in another file."""
    made = onnx.TensorProto(
        name="w",
        dims=[1],
        data_type=onnx.TensorProto.FLOAT,
        data_location=onnx.TensorProto.EXTERNAL,
    )
    for key, value in (("location", location), ("offset", "0"), ("length", "4")):
        made.external_data.add(key=key, value=value)
    return made


def added(location="", nested=""):
    """A model that adds a tensor; the other is in an attribute of a node in a subgraph."""
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    weight = tensor(location) if location else onnx.numpy_helper.from_array(np.float32([2]), "w")
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    if nested:
        constant = helper.make_node("Constant", [], ["c"], value=tensor(nested))
        branch = helper.make_graph(
            [constant], "branch", [], [helper.make_tensor_value_info("c", number, [1])]
        )
        node = helper.make_node("If", ["q"], ["z"], then_branch=branch, else_branch=branch)
        nodes.append(node)
    graph = helper.make_graph(
        nodes, "add", [helper.make_tensor_value_info("x", number, [None, 1, None, None])],
        [helper.make_tensor_value_info("y", number, [None, 1, None, None])], [weight],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def saved(model, folder):
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_the_field_numbers_are_those_of_the_format():
    types = {
        "model": onnx.ModelProto, "training": onnx.TrainingInfoProto, "graph": onnx.GraphProto,
        "function": onnx.FunctionProto, "node": onnx.NodeProto, "attribute": onnx.AttributeProto,
        "sparse": onnx.SparseTensorProto, "tensor": onnx.TensorProto,
    }  # fmt: skip
    names = {value.DESCRIPTOR.name: key for key, value in types.items()}
    for kind, proto in types.items():
        fields = {
            f.number: names[f.message_type.name]
            for f in proto.DESCRIPTOR.fields
            if f.message_type is not None and f.message_type.name in names
        }
        if kind == "tensor":
            assert proto.DESCRIPTOR.fields_by_name["external_data"].number == 13
            continue
        assert fields == _FIELDS[kind]


def test_locations_of_subgraphs_are_read(tmp_path):
    assert external_locations(saved(added(), tmp_path / "a")) == []
    path = saved(added("one.bin", "two.bin"), tmp_path / "b")
    assert sorted(set(external_locations(path))) == ["one.bin", "two.bin"]


@pytest.mark.parametrize("part", ["location", "nested"])
@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "sub/../../secret.bin"])
def test_data_outside_of_the_folder_is_refused(tmp_path, part, location):
    (tmp_path / "secret.bin").write_bytes(b"1234")
    path = saved(added(**{part: location}), tmp_path / "model")
    with pytest.raises(FormatError, match="outside of its folder"):
        load_onnx(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.bin").write_bytes(b"1234")
    path = saved(added("inner.bin"), tmp_path / "model")
    with pytest.raises(FormatError, match=r"needs the file 'inner\.bin'"):
        check_external_data(path)
    (path.parent / "inner.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(FormatError, match="outside of its folder"):
        check_external_data(path)


def test_data_in_the_folder_is_read(tmp_path):
    pytest.importorskip("onnxruntime")
    import torch

    path = saved(added("inner.bin"), tmp_path / "model")
    (path.parent / "inner.bin").write_bytes(np.float32([5]).tobytes())
    assert load_onnx(path)(torch.ones(1, 1, 2, 2)).unique().tolist() == [6]


def test_other_weights_next_to_an_unchanged_file_are_read(tmp_path):
    """Of the same size and date."""
    pytest.importorskip("onnxruntime")
    import torch

    path = saved(added("inner.bin"), tmp_path / "model")
    weights = path.parent / "inner.bin"
    for number in (5, 7):
        weights.write_bytes(np.float32([number]).tobytes())
        os.utime(weights, ns=(10**18, 10**18))
        network = load_onnx(path)
        assert network(torch.ones(1, 1, 2, 2)).unique().tolist() == [1 + number]
        assert load_onnx(path) is network


@pytest.mark.parametrize("content", [b"", b"no onnx at all", b"\x3a\xff\xff\xff\xff\x0f"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="cannot be read as ONNX"):
        check_external_data(path)
    with pytest.raises(FormatError, match="There is no file"):
        load_onnx(tmp_path / "absent.onnx")
