from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import SubCenterArcFaceLoss
from tests.heads.contract import HeadContract
from torch import Tensor, nn

from whalereid import WhalereidError
from whalereid.heads import ElasticArcFace, SubCenterArcFace, class_size_margins

SIZES = [1, 16, 256, 3, 40]


def by_hand(embeddings: Tensor, weights: Tensor, labels: Tensor, margins: np.ndarray, centers: int) -> float:
    """Mean cross entropy of cosines with each identity's nearest direction, times 21; float64, in loops."""
    losses = []
    for embedding, label, margin in zip(embeddings.double().numpy(), labels.tolist(), margins, strict=True):
        cosines = [
            embedding @ direction / np.linalg.norm(embedding) / np.linalg.norm(direction)
            for direction in weights.double().numpy().T
        ]
        nearest = [max(cosines[i : i + centers]) for i in range(0, len(cosines), centers)]
        angle = math.acos(nearest[label])
        beyond = nearest[label] - margin * math.sin(margin)
        nearest[label] = math.cos(angle + margin) if angle <= math.pi - margin else beyond
        logits = [21 * cosine for cosine in nearest]
        losses.append(max(logits) + math.log(sum(math.exp(x - max(logits)) for x in logits)) - logits[label])
    return float(np.mean(losses))


class TestSubCenterArcFace(HeadContract):
    def make(self, **options: object) -> SubCenterArcFace:
        return SubCenterArcFace(self.dim, self.n_identities, **options)

    def directions(self, head: nn.Module) -> Tensor:
        return head.W.T[::2]

    def test_it_learns_to_tell_identities_apart(self) -> None:
        """By the nearest of an identity's directions, not by the first."""
        torch.manual_seed(0)
        head, labels = self.make(), torch.arange(10) % self.n_identities
        embeddings = nn.Parameter(torch.randn(10, self.dim))
        optimiser = torch.optim.Adam([embeddings, *head.parameters()], lr=0.1)
        for _ in range(60):
            optimiser.zero_grad()
            head(embeddings, labels).backward()
            optimiser.step()
        assert (head.get_cosine(embeddings).argmax(dim=1) == labels).all()

    @pytest.mark.parametrize("centers", [1, 2, 3])
    @pytest.mark.parametrize("std", [0.0, 0.1])
    def test_against_the_formula(self, batch: tuple[Tensor, Tensor], centers: int, std: float) -> None:
        embeddings, labels = batch
        generator = torch.Generator().manual_seed(4)
        head = self.make(
            sub_centers=centers, margin=(0.5, 0.125, 0.05), class_sizes=SIZES, std=std, generator=generator
        )
        drawn = std * torch.randn(16, generator=torch.Generator().manual_seed(4)).double().numpy()
        margins = np.array([0.5 * SIZES[label] ** -0.125 + 0.05 for label in labels.tolist()]) + drawn
        expected = by_hand(embeddings, head.W.detach(), labels, margins, centers)
        assert head(embeddings, labels).item() == pytest.approx(expected, rel=2e-5)

    def test_with_one_direction_it_is_elastic_arcface(self, batch: tuple[Tensor, Tensor]) -> None:
        head, elastic = self.make(sub_centers=1), ElasticArcFace(self.dim, self.n_identities, 21, 0.5, 0.0)
        elastic.load_state_dict(head.state_dict())
        assert torch.equal(head(*batch), elastic(*batch))

    def test_with_one_margin_it_is_the_losses_of_the_library_below(self, batch: tuple[Tensor, Tensor]) -> None:
        head = self.make(sub_centers=3, scale=64)
        peer = SubCenterArcFaceLoss(
            num_classes=self.n_identities, embedding_size=self.dim, margin=math.degrees(0.5), scale=64, sub_centers=3
        )
        peer.load_state_dict(head.state_dict())
        torch.testing.assert_close(head(*batch), peer(*batch))

    def test_its_directions(self) -> None:
        head = SubCenterArcFace(256, 400, sub_centers=3)
        assert head.W.shape == (256, 1200)
        assert head.W.std().item() == pytest.approx(0.01, rel=0.02)
        assert list(head.state_dict()) == ["W"]

    @pytest.mark.parametrize("given", [0, -1, 1.5, "2", None, True])
    def test_counts_of_directions_that_are_none(self, given: object) -> None:
        with pytest.raises(WhalereidError, match="sub_centers"):
            self.make(sub_centers=given)


class TestClassSizeMargins:
    def test_the_formula(self) -> None:
        found = class_size_margins(SIZES, 0.4, 0.25, 0.1)
        np.testing.assert_allclose(found, [0.4 * n**-0.25 + 0.1 for n in SIZES])
        assert class_size_margins(np.array([0, 1])).tolist() == pytest.approx([0.55, 0.55])
        assert class_size_margins(SIZES, 0.5, 0, 0).tolist() == [0.5] * 5

    @pytest.mark.parametrize(
        ("given", "match"),
        [
            (([1.5],), "class_sizes"), (([-1],), "class_sizes"), (("abc",), "class_sizes"), ((3,), "class_sizes"),
            (([1], 4), "the most"), (([1], 0.5, -1), "the power"), (([1], 3, 0.1, 0.5), "the least"),
        ],
    )  # fmt: skip
    def test_what_is_no_margin(self, given: tuple[object, ...], match: str) -> None:
        with pytest.raises(WhalereidError, match=match):
            class_size_margins(*given)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"margin": (0.5, 0.1, 0.0)}, "give class_sizes too"),
            ({"margin": (0.5, 0.1), "class_sizes": SIZES}, "one number, or three"),
            ({"margin": (0.5, 0.1, 0.0), "class_sizes": [1, 2]}, "2 numbers for 5 identities"),
            ({"margin": "much", "class_sizes": SIZES}, "margin"),
        ],
    )
    def test_heads_refuse_what_does_not_fit(self, options: dict[str, object], match: str) -> None:
        with pytest.raises(WhalereidError, match=match):
            ElasticArcFace(8, 5, **options)  # type: ignore[arg-type]

    def test_elastic_margins_are_drawn_around_them(self) -> None:
        head = ElasticArcFace(8, 5, margin=(0.5, 0.125, 0.05), std=0.05, class_sizes=SIZES)
        labels = torch.arange(5).repeat(2000)
        drawn = head._draw(labels)
        for label, margin in enumerate(class_size_margins(SIZES)):
            assert drawn[labels == label].mean().item() == pytest.approx(margin, abs=0.005)
            assert drawn[labels == label].std().item() == pytest.approx(0.05, abs=0.005)


def test_fit_counts_the_photos_of_each_class(tmp_path: object) -> None:
    from whalereid.parts import HEADS

    head = HEADS.make("sub-center-arcface:margin=0.5+0.125+0.05,std=0.01", dim=8, n_identities=5, class_sizes=SIZES)
    np.testing.assert_allclose(head._mean_margins.numpy(), class_size_margins(SIZES), rtol=1e-6)
