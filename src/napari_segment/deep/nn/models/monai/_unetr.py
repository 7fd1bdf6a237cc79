"""UNETR for any size."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.nets import UNETR
from torch import Tensor
from torch.nn import functional


class AnySizeUNETR(UNETR):
    """MONAI's UNETR with its position embedding interpolated to the size of the input."""

    def forward(self, image: Tensor) -> Tensor:
        grid = [n // p for n, p in zip(image.shape[2:], self.patch_size, strict=True)]
        embed = self.vit.patch_embedding
        tokens = embed.patch_embeddings(image).flatten(2).transpose(1, 2)
        tokens = embed.dropout(tokens + self._positions(grid))
        hidden = []
        for block in self.vit.blocks:
            tokens = block(tokens)
            hidden.append(tokens)
        third, sixth, ninth = (self._unfolded(hidden[i], grid) for i in (3, 6, 9))
        up = self.decoder5(self._unfolded(self.vit.norm(tokens), grid), self.encoder4(ninth))
        up = self.decoder4(up, self.encoder3(sixth))
        up = self.decoder3(up, self.encoder2(third))
        return self.out(self.decoder2(up, self.encoder1(image)))

    def _positions(self, grid: Sequence[int]) -> Tensor:
        learnt = self.vit.patch_embedding.position_embeddings
        if tuple(grid) == tuple(self.feat_size):
            return learnt
        mode = "bicubic" if len(grid) == 2 else "trilinear"
        spread = self._unfolded(learnt, self.feat_size)
        resized = functional.interpolate(spread, tuple(grid), mode=mode, align_corners=False)
        return resized.flatten(2).transpose(1, 2)

    def _unfolded(self, tokens: Tensor, grid: Sequence[int]) -> Tensor:
        """Tokens (B, N, H) as features (B, H, *grid)."""
        return tokens.transpose(1, 2).reshape(len(tokens), self.hidden_size, *grid)
