"""The competition winner's networks, written straight from their description: what the library is held against."""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn


class Pooling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, maps: Tensor) -> Tensor:
        batch, channels, height, width = maps.shape
        total = torch.zeros(batch, channels)
        for y in range(height):
            for x in range(width):
                total = total + torch.clamp(maps[:, :, y, x], min=1e-6) ** self.p
        return (total / (height * width)) ** (1 / self.p)


class Final(nn.Module):
    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(dim, classes) * 0.01)


class WinnersNetwork(nn.Module):
    """Parameter names as in the winner's files: backbone.*, pooling.p, bn.*, ln.*, final.kernel."""

    def __init__(
        self, backbone: str, channels: int, *, tripled: bool, hardtanh: bool = False, classes: int = 788
    ) -> None:
        super().__init__()
        self.backbone = timm.create_model(backbone, num_classes=0, global_pool="")
        self.pooling = Pooling()
        self.tripled, self.hardtanh = tripled, hardtanh
        self.bn = nn.BatchNorm1d(channels * 3 if tripled else channels)
        if tripled:
            self.ln = nn.Linear(channels * 3, channels)
        self.final = Final(channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        vector = self.pooling(self.backbone(images))
        if not self.tripled:
            return self.bn(vector)
        vector = self.bn(torch.cat([vector, vector, vector], dim=1))
        if self.hardtanh:
            vector = vector.clamp(-1, 1)
        return self.ln(vector)


def draw_and_settle(network: nn.Module, size: tuple[int, int], seed: int = 0) -> Tensor:
    """Draw weights, and BatchNorm statistics from eight made-up photos, so that no layer fades; returns the photos."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if parameter.ndim >= 2:
            parameter.data = torch.randn(parameter.shape, generator=generator) / parameter[0].numel() ** 0.5
        elif name.endswith("weight"):
            parameter.data = 1 + 0.1 * torch.randn(parameter.shape, generator=generator)
        elif name == "pooling.p":
            parameter.data.fill_(3.25)
        else:
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the plain mean of what is seen
            module.reset_running_stats()
    blotches = torch.randn(8, 3, 4, 3, generator=generator) * torch.rand(8, 1, 1, 1, generator=generator) * 3
    photos = nn.functional.interpolate(blotches, size, mode="bilinear")
    network.train()
    with torch.no_grad():
        network(photos)
    network.eval()
    return photos
