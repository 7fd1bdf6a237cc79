"""OME-Zarr in a bucket of S3, served by a local stand-in of it."""

import numpy as np
import pytest

import napari_segment as ns
from napari_segment import samples
from napari_segment.errors import FormatError


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A local server with an image in a bucket, which asks for no account."""
    boto3 = pytest.importorskip("boto3")
    moto_server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()
    server = moto_server.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    account = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=url, **account)
    client.create_bucket(Bucket="images")
    image, _ = samples.cells((6, 40, 44), seed=1)
    ns.write(image, tmp_path / "cells.ome.zarr")
    for file in sorted((tmp_path / "cells.ome.zarr").rglob("*")):
        if file.is_file():
            name = file.relative_to(tmp_path).as_posix()
            client.upload_file(str(file), "images", name, ExtraArgs={"ACL": "public-read"})
            client.upload_file(str(file), "images", f"private/{name}")
    yield image
    server.stop()


@pytest.mark.parametrize("lazy", [False, True])
def test_an_image_in_a_bucket_is_read(bucket, lazy):
    image = ns.read("s3://images/cells.ome.zarr", lazy=lazy)
    assert image.is_lazy == lazy
    np.testing.assert_array_equal(np.asarray(image.data), bucket.data)
    assert (image.axes, image.unit) == (bucket.axes, bucket.unit)
    np.testing.assert_allclose(image.spacing, bucket.spacing)


def test_an_account_of_the_environment_is_used(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    image = ns.read("s3://images/private/cells.ome.zarr")
    np.testing.assert_array_equal(image.data, bucket.data)


def test_what_is_not_there_is_said(bucket):
    with pytest.raises(FormatError, match="no Zarr array or group, or cannot be reached"):
        ns.read("s3://images/other.ome.zarr")
    with pytest.raises(FormatError, match="the account"):
        ns.read("s3://images/private/cells.ome.zarr")
