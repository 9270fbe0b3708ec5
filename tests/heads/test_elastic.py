from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from tests.heads.contract import HeadContract
from torch import Tensor, nn

from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace


def by_hand(embeddings: Tensor, weights: Tensor, labels: Tensor, margins: np.ndarray, scale: float) -> float:
    """Mean cross entropy of scaled cosines, each photo's own with its margin added to the angle; float64, in loops."""
    losses = []
    for embedding, label, margin in zip(embeddings.double().numpy(), labels.tolist(), margins, strict=True):
        logits = []
        for identity, direction in enumerate(weights.double().numpy().T):
            cosine = embedding @ direction / np.linalg.norm(embedding) / np.linalg.norm(direction)
            if identity == label:
                angle = math.acos(cosine)
                cosine = math.cos(angle + margin) if angle <= math.pi - margin else cosine - margin * math.sin(margin)
            logits.append(scale * cosine)
        top = max(logits)
        losses.append(top + math.log(sum(math.exp(logit - top) for logit in logits)) - logits[label])
    return float(np.mean(losses))


class TestElasticArcFace(HeadContract):
    def make(self, **options: object) -> ElasticArcFace:
        return ElasticArcFace(self.dim, self.n_identities, **options)

    def directions(self, head: nn.Module) -> Tensor:
        return head.W.T

    @pytest.mark.parametrize("std", [0.0, 0.0125, 0.2])
    @pytest.mark.parametrize(("scale", "margin"), [(30.0, 0.5), (64.0, 0.3), (10.0, 1.2)])
    def test_against_the_formula(self, batch: tuple[Tensor, Tensor], scale: float, margin: float, std: float) -> None:
        embeddings, labels = batch
        head = self.make(scale=scale, margin=margin, std=std, generator=torch.Generator().manual_seed(4))
        drawn = margin + std * torch.randn(16, generator=torch.Generator().manual_seed(4)).double().numpy()
        expected = by_hand(embeddings, head.W.detach(), labels, drawn, scale)
        assert head(embeddings, labels).item() == pytest.approx(expected, rel=2e-5)

    def test_beyond_pi_it_goes_on_falling(self) -> None:
        head = self.make(std=0.0)
        for parameter in head.parameters():
            parameter.data = torch.eye(self.dim)[:, : self.n_identities]
        angles = torch.linspace(2.2, 3.1, 10)
        embeddings = torch.zeros(10, self.dim)
        embeddings[:, 0], embeddings[:, 7] = angles.cos(), angles.sin()
        labels = torch.zeros(10, dtype=torch.int64)
        expected = by_hand(embeddings, head.W.detach(), labels, np.full(10, 0.5), 30.0)
        assert head(embeddings, labels).item() == pytest.approx(expected, rel=2e-5)
        losses = [head(embeddings[i : i + 1], labels[i : i + 1]).item() for i in range(10)]
        assert losses == sorted(losses)

    def test_without_spread_it_is_arcface(self, batch: tuple[Tensor, Tensor]) -> None:
        head = self.make(std=0.0)
        arcface = ArcFaceLoss(self.n_identities, self.dim, margin=math.degrees(0.5), scale=30.0)
        arcface.load_state_dict(head.state_dict())
        torch.testing.assert_close(head(*batch), arcface(*batch))

    def test_margins_are_drawn_anew_and_follow_the_distribution(self) -> None:
        head = self.make(margin=0.4, std=0.05)
        seen: list[Tensor] = []
        clear: list[Tensor] = []
        inner = head.modify_cosine_of_target_classes

        def watched(cosines: Tensor) -> Tensor:
            made = inner(cosines)
            seen.append((made.acos() - cosines.acos()).detach())
            clear.append(cosines.acos().detach() < 2.4)  # and no margin leads past π
            return made

        head.modify_cosine_of_target_classes = watched  # type: ignore[method-assign]
        embeddings, labels = torch.randn(4000, self.dim), torch.randint(self.n_identities, (4000,))
        head(embeddings, labels)
        head(embeddings, labels)
        head.eval()(embeddings, labels)
        assert seen[0][clear[0]].mean().item() == pytest.approx(0.4, abs=0.005)
        assert seen[0][clear[0]].std().item() == pytest.approx(0.05, abs=0.005)
        assert (seen[0] - seen[1]).abs().mean() > 0.02
        evaluated = seen[2][clear[2]]
        torch.testing.assert_close(evaluated, torch.full_like(evaluated, 0.4), atol=1e-3, rtol=0)

    def test_a_generator_of_its_own_leaves_the_global_one_alone(self, batch: tuple[Tensor, Tensor]) -> None:
        head = self.make(std=0.1, generator=torch.Generator().manual_seed(1))
        torch.manual_seed(9)
        head(*batch)
        drawn = torch.randn(3)
        torch.manual_seed(9)
        assert torch.equal(drawn, torch.randn(3))

    def test_weights_start_small_and_normal(self) -> None:
        weights = ElasticArcFace(256, 400).W
        assert weights.shape == (256, 400)
        assert weights.mean().item() == pytest.approx(0, abs=2e-4)
        assert weights.std().item() == pytest.approx(0.01, rel=0.02)

    def test_the_state_dict_is_the_weights_alone(self) -> None:
        assert list(self.make().state_dict()) == ["W"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_identities": 1}, "n_identities is 1; give a whole number from 2"),
        ({"dim": 0}, "dim is 0"),
        ({"scale": 0}, "scale is 0"),
        ({"margin": 28.6}, "margin, in radians, is 28.6"),
        ({"margin": -0.1}, "margin"),
        ({"dim": "wide"}, "dim is 'wide'"),
        ({"dim": None}, "dim is None"),
        ({"n_identities": 5.0}, "n_identities is 5.0"),
        ({"scale": None}, "scale is None"),
        ({"scale": float("inf")}, "scale is inf"),
        ({"margin": "0.5"}, "margin"),
        ({"generator": 3}, "generator is 3"),
        ({"std": -1}, "std, in radians, is -1"),
    ],
)
def test_arguments_that_cannot_be(arguments: dict, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        ElasticArcFace(**({"dim": 8, "n_identities": 5} | arguments))


@pytest.mark.parametrize(
    ("embeddings", "labels", "words"),
    [
        (torch.randn(3, 9), torch.tensor([0, 1, 2]), r"shape \(3, 9\), this head takes \(B, 8\)"),
        (torch.randn(8), torch.tensor([0]), r"shape \(8,\)"),
        (torch.randn(3, 8), torch.tensor([0, 1]), r"labels are \(2,\) .* for 3 embeddings"),
        (torch.randn(2, 8), torch.tensor([0.0, 1.0]), "labels are .*float32"),
        (None, torch.tensor([0]), "embeddings is None"),
        (torch.randn(2, 8), [0, 1], r"labels is \[0, 1\], a list"),
    ],
)
def test_batches_that_cannot_be(embeddings: object, labels: object, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        ElasticArcFace(8, 5)(embeddings, labels)
