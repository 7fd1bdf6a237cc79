"""Write the tables of docs/losses.md and docs/models.md from the registries, and the plot.

Run again after a change: ``python docs/networks.py``. Tables stand between ``<!-- NAME -->`` and
``<!-- end -->``.
"""

from __future__ import annotations

import re
from pathlib import Path

from napari_segment.registry import Entry, losses, models

HERE = Path(__file__).parent

# Who else has the same, checked in tests/deep/nn/losses/test_losses.py where marked "=".
LIBRARIES = {
    "bce": "torch `BCEWithLogitsLoss`",
    "weighted_bce": "torch `BCEWithLogitsLoss(pos_weight)`",
    "cross_entropy": "= torch `CrossEntropyLoss`",
    "focal": "= MONAI `FocalLoss`; SMP `FocalLoss`",
    "asymmetric_focal": "MONAI `AsymmetricUnifiedFocalLoss` (a part of it)",
    "asymmetric_focal_tversky": "MONAI `AsymmetricUnifiedFocalLoss` (a part of it)",
    "mse": "torch `MSELoss` on probabilities",
    "dice": "= MONAI `DiceLoss`, = SMP `DiceLoss`",
    "squared_dice": "= MONAI `DiceLoss(squared_pred)`",
    "generalized_dice": "= MONAI `GeneralizedDiceLoss`",
    "iou": "= SMP `JaccardLoss`; MONAI `DiceLoss(jaccard)`",
    "tversky": "= MONAI `TverskyLoss`; SMP `TverskyLoss`",
    "focal_tversky": "SMP `TverskyLoss(gamma)`",
    "lovasz": "= SMP `LovaszLoss`",
    "mcc": "= MONAI `MCCLoss`; SMP `MCCLoss`",
    "boundary": "MONAI `BoundaryLoss`",
    "hausdorff": "= MONAI `HausdorffDTLoss`",
    "cldice": "= MONAI `SoftclDiceLoss` (its skeleton)",
    "dice_ce": "MONAI `DiceCELoss`",
    "dice_focal": "MONAI `DiceFocalLoss`",
    "unified_focal": "MONAI `AsymmetricUnifiedFocalLoss`",
}
MODEL_LIBRARIES = {
    "deep.nn.models.monai": "MONAI",
    "deep.nn.models.smp": "segmentation-models-pytorch",
    "deep.nn.models.torchvision": "torchvision",
    "deep.detection": "torchvision",
}


def dimensions(entry: Entry) -> str:
    return ", ".join(f"{n}-D" for n in entry.ndim)


def source(entry: Entry) -> str:
    """The first DOI or arXiv number of the docstring, as a link."""
    match = re.search(r":doi:`([^`]+)`|arXiv:(\d{4}\.\d+)", entry.function.__doc__ or "")
    if match is None:
        return ""
    doi, number = match.groups()
    return f"[doi](https://doi.org/{doi})" if doi else f"[arXiv](https://arxiv.org/abs/{number})"


def loss_table() -> str:
    order = ("distribution", "region", "boundary", "topology", "compound")
    entries = sorted(losses.values(), key=lambda e: order.index(e.group))
    rows = [
        f"| `{e.name}` | {e.group} | {dimensions(e)} | {LIBRARIES.get(e.name, 'ours alone')} "
        f"| {source(e)} | {e.help} |"
        for e in entries
    ]
    head = "| loss | category | dimensions | other libraries | source | what it is |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def model_table() -> str:
    import torch

    torch.manual_seed(0)
    entries = sorted(models.values(), key=lambda e: (e.group, e.name))
    rows = [
        f"| `{e.name}` | {e.group} | {dimensions(e)} | {library(e)} | {size(e)} "
        f"| {source(e)} | {e.help} |"
        for e in entries
    ]
    head = "| model | kind | dimensions | library | million parameters | source | what it is |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def library(entry: Entry) -> str:
    for part, name in MODEL_LIBRARIES.items():
        if part in entry.source:
            return name
    return "ours" + (" on SMP's encoders" if entry.name in ("fastfcn", "gated_scnn") else "")


def size(entry: Entry) -> str:
    """Millions of parameters at the defaults, of one channel in and two classes out."""
    from napari_segment.deep.nn.models import build

    sizes = []
    for ndim in entry.ndim:
        net = build(entry.name, 1, 2, ndim, pretrained=False)
        sizes.append(f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f}")
    return " / ".join(sizes)


def plot(path: Path) -> None:
    """Pointwise losses against a probability, the others against the shift of a disc."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7))
    groups = (("distribution",), ("region",), ("boundary", "topology"), ("compound",))
    for axes, kinds in zip(figure.subplots(2, 2).ravel(), groups, strict=True):
        values = one_voxel if kinds == ("distribution",) else shifted
        for number, name in enumerate(e.name for e in losses.values() if e.group in kinds):
            where, losses_at = values(name)
            style = ("-", "--", ":")[number % 3]
            axes.plot(where, losses_at, style, label=name, lw=1.3)
        axes.set(title=" and ".join(kinds), ylabel="loss")
        axes.set_xlabel("probability of the true side" if values is one_voxel else "shift / pixels")
        if values is shifted:
            axes.set_ylabel("loss / its largest")
        axes.legend(fontsize=6)
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=80)


def one_voxel(name: str) -> tuple[list[float], list[float]]:
    """One foreground voxel with another of the background next to it, equally right."""
    import torch

    loss = losses.make(name)
    where = [n / 50 for n in range(2, 50)]
    target = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    odds = [torch.logit(torch.tensor(p)) * (2 * target - 1) for p in where]
    return where, [float(loss(logits, target)) for logits in odds]


def shifted(name: str) -> tuple[list[int], list[float]]:
    """A disc of radius 10 that moves away from the true one, the largest loss being 1."""
    import numpy as np
    import torch

    y, x = np.mgrid[:64, :64]

    def disc(shift: int) -> torch.Tensor:
        inside = (y - 32) ** 2 + (x - 20 - shift) ** 2 < 100
        return torch.from_numpy(inside.astype(np.float32))[None, None]

    loss = losses.make(name)
    shifts = list(range(0, 25, 2))
    values = [float(loss(disc(s) * 8 - 4, disc(0))) for s in shifts]
    low, high = values[0], max(values)
    return shifts, [(v - low) / ((high - low) or 1) for v in values]


def write(page: Path, name: str, table: str) -> None:
    text = page.read_text("utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    page.write_text(pattern.sub(lambda m: m[1] + table + "\n" + m[2], text), "utf-8")


if __name__ == "__main__":
    write(HERE / "losses.md", "losses", loss_table())
    plot(HERE / "images" / "losses.png")
    write(HERE / "models.md", "models", model_table())
