"""Networks of torchvision, 2-D."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from napari_segment.deep.nn.models._types import FrozenEpochs
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn

Auxiliary: TypeAlias = Annotated[
    bool,
    Field(
        description="Whether a second head, on the last but one features, is trained in addition."
    ),
]
TorchvisionWeights: TypeAlias = Annotated[
    str,
    Field(
        examples=["none", "imagenet"],
        description='Pretrained weights of the encoder: "none", "imagenet" (the cache of this '
        "machine first, then the network), or the path of a file.",
    ),
]


@models.add(
    "deeplabv3_resnet50", title="DeepLabV3, ResNet-50 (torchvision)", group="DeepLab", ndim=(2,)
)
def deeplabv3_resnet50(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    weights: TorchvisionWeights = "none",
    frozen_epochs: FrozenEpochs = 0,
    auxiliary: Auxiliary = False,
) -> nn.Module:
    """DeepLabV3 over a ResNet-50 at output stride 8.

    Returns
    -------
    torch.nn.Module
        Torchvision's ``DeepLabV3``.

    References
    ----------
    .. [1] Chen et al. (2017), Rethinking atrous convolution for semantic image segmentation.
       arXiv:1706.05587
    """
    from napari_segment.deep.nn.models._torchvision import network

    assert ndim == 2
    return network(
        "deeplabv3_resnet50", channels_in, channels_out,
        weights=weights, frozen_epochs=frozen_epochs, auxiliary=auxiliary,
    )  # fmt: skip


@models.add(
    "deeplabv3_resnet101", title="DeepLabV3, ResNet-101 (torchvision)", group="DeepLab", ndim=(2,)
)
def deeplabv3_resnet101(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    weights: TorchvisionWeights = "none",
    frozen_epochs: FrozenEpochs = 0,
    auxiliary: Auxiliary = False,
) -> nn.Module:
    """DeepLabV3 over a ResNet-101 at output stride 8.

    Returns
    -------
    torch.nn.Module
        Torchvision's ``DeepLabV3``.

    References
    ----------
    .. [1] Chen et al. (2017), Rethinking atrous convolution for semantic image segmentation.
       arXiv:1706.05587
    """
    from napari_segment.deep.nn.models._torchvision import network

    assert ndim == 2
    return network(
        "deeplabv3_resnet101", channels_in, channels_out,
        weights=weights, frozen_epochs=frozen_epochs, auxiliary=auxiliary,
    )  # fmt: skip


@models.add(
    "deeplabv3_mobilenet", title="DeepLabV3, MobileNetV3 (torchvision)", group="DeepLab", ndim=(2,)
)
def deeplabv3_mobilenet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    weights: TorchvisionWeights = "none",
    frozen_epochs: FrozenEpochs = 0,
    auxiliary: Auxiliary = False,
) -> nn.Module:
    """DeepLabV3 over a MobileNetV3-Large at output stride 16: the light one.

    Returns
    -------
    torch.nn.Module
        Torchvision's ``DeepLabV3``.

    References
    ----------
    .. [1] Chen et al. (2017), Rethinking atrous convolution for semantic image segmentation.
       arXiv:1706.05587
    """
    from napari_segment.deep.nn.models._torchvision import network

    assert ndim == 2
    return network(
        "deeplabv3_mobilenet", channels_in, channels_out,
        weights=weights, frozen_epochs=frozen_epochs, auxiliary=auxiliary,
    )  # fmt: skip


@models.add("fcn_resnet50", title="FCN, ResNet-50 (torchvision)", group="FCN", ndim=(2,))
def fcn_resnet50(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    weights: TorchvisionWeights = "none",
    frozen_epochs: FrozenEpochs = 0,
    auxiliary: Auxiliary = False,
) -> nn.Module:
    """Fully convolutional network over a ResNet-50 at output stride 8.

    Returns
    -------
    torch.nn.Module
        Torchvision's ``FCN``.

    References
    ----------
    .. [1] Long et al. (2015), Fully convolutional networks for semantic segmentation.
       :doi:`10.1109/CVPR.2015.7298965`
    """
    from napari_segment.deep.nn.models._torchvision import network

    assert ndim == 2
    return network(
        "fcn_resnet50", channels_in, channels_out,
        weights=weights, frozen_epochs=frozen_epochs, auxiliary=auxiliary,
    )  # fmt: skip


@models.add("fcn_resnet101", title="FCN, ResNet-101 (torchvision)", group="FCN", ndim=(2,))
def fcn_resnet101(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    weights: TorchvisionWeights = "none",
    frozen_epochs: FrozenEpochs = 0,
    auxiliary: Auxiliary = False,
) -> nn.Module:
    """Fully convolutional network over a ResNet-101 at output stride 8.

    Returns
    -------
    torch.nn.Module
        Torchvision's ``FCN``.

    References
    ----------
    .. [1] Long et al. (2015), Fully convolutional networks for semantic segmentation.
       :doi:`10.1109/CVPR.2015.7298965`
    """
    from napari_segment.deep.nn.models._torchvision import network

    assert ndim == 2
    return network(
        "fcn_resnet101", channels_in, channels_out,
        weights=weights, frozen_epochs=frozen_epochs, auxiliary=auxiliary,
    )  # fmt: skip


@models.add("lraspp_mobilenet", title="LR-ASPP, MobileNetV3 (torchvision)", group="FCN", ndim=(2,))
def lraspp_mobilenet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    weights: TorchvisionWeights = "none",
    frozen_epochs: FrozenEpochs = 0,
) -> nn.Module:
    """Lite reduced atrous pyramid over a MobileNetV3-Large: made for slow machines.

    Returns
    -------
    torch.nn.Module
        Torchvision's ``LRASPP``.

    References
    ----------
    .. [1] Howard et al. (2019), Searching for MobileNetV3. :doi:`10.1109/ICCV.2019.00140`
    """
    from napari_segment.deep.nn.models._torchvision import network

    assert ndim == 2
    return network(
        "lraspp_mobilenet", channels_in, channels_out,
        weights=weights, frozen_epochs=frozen_epochs,
    )  # fmt: skip
