"""What must fit together before the first step: data set and network, network and head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import albumentations as A
import pytest
import torch
from albumentations.pytorch import ToTensorV2
from pytorch_metric_learning import losses
from torch import Tensor, nn

from training.drawing import GREY, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace
from whalereid.images import TRAINING_TRANSFORMS, CrossViewPairs, Framing, PhotoDataset
from whalereid.models import Preprocessing
from whalereid.training import Recipe
from whalereid.training.checks import check_head
from whalereid.training.validation import Validation

QUICK = Recipe(epochs=1, batch_size=8, transform="plain")
PLAIN = TRAINING_TRANSFORMS["plain"]


def run_fit(train: Any, out: Path, valid: Any = None, head: nn.Module | None = None, **options: Any) -> Any:
    net, made = make_parts(**options)
    return fit_quietly(net, head or made, train, valid, out=out, recipe=QUICK, progress=True)


class TestPreprocessing:
    @pytest.mark.parametrize(
        ("transform", "data_set", "names"),
        [
            (PLAIN(32), {}, r"mean is \(0.485, 0.456, 0.406\), the network's \(0.5, 0.5, 0.5\)"),
            (PLAIN(32, GREY), {}, r"std is \(0.229, 0.224, 0.225\), the network's \(0.5, 0.5, 0.5\)"),
            (PLAIN(48, GREY, GREY), {}, r"image_size is \(48, 48\), the network's \(32, 32\)"),
            (PLAIN(32, GREY, GREY), {"portrait": True}, "portrait is True, the network's False"),
            (PLAIN(32, GREY, GREY, antialias=False), {}, "antialias is False, the network's True"),
            (
                PLAIN(32, GREY, GREY, framing=Framing("bilinear", 0.9, "center")),
                {},
                "crop_mode is center, the network's",
            ),
            (PLAIN(32, GREY, GREY, framing=Framing(crop_pct=0.9)), {}, "crop_pct is 0.9, the network's 1.0"),
        ],
    )
    @pytest.mark.parametrize("pairs", [False, True])
    def test_a_difference_is_refused_by_name(
        self, drawn: Catalogue, tmp_path: Path, transform: A.Compose, data_set: dict[str, Any], names: str, pairs: bool
    ) -> None:
        make: Any = CrossViewPairs if pairs else PhotoDataset
        options = data_set | ({"anchor": "top", "partner": "left"} if pairs else {})
        with pytest.raises(WhalereidError, match=names):
            run_fit(make(drawn, transform, **options), tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_what_agrees_trains(self, drawn: Catalogue, tmp_path: Path) -> None:
        turned = PhotoDataset(drawn, PLAIN((32, 24), antialias=False), portrait=True)
        last = turned.transform.transforms[-2]
        look = Preprocessing((32, 24), last.mean, last.std, portrait=True, antialias=False)
        run_fit(turned, tmp_path / "run", preprocessing=look)

    def test_what_the_steps_dont_show_is_said(
        self, drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        crops = A.Compose(
            [A.RandomResizedCrop((32, 32)), A.OneOf([A.Normalize(GREY, GREY), A.Normalize()], p=1), ToTensorV2()]
        )
        run_fit(PhotoDataset(drawn, crops), tmp_path / "run")
        said = capsys.readouterr().err
        assert "Not shown by the data set's transform, so not compared with the network's: mean, std, " in said
        assert "antialias, crop_mode." in said

    @pytest.mark.parametrize("name", ["plain", "whaledo"])
    @pytest.mark.parametrize("antialias", [False, True])
    def test_a_catalogue_is_prepared_as_the_network_says(
        self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, antialias: bool
    ) -> None:
        seen = []
        build = type(PLAIN).steps

        def spy(self: Any, *given: Any, **options: Any) -> Any:
            made = build(self, *given, **options)
            seen.append("shrink" in made)
            return made

        monkeypatch.setattr(type(PLAIN), "steps", spy)
        net, head = make_parts(antialias=antialias)
        fit_quietly(net, head, drawn, out=tmp_path / "run", recipe=QUICK.but(transform=name))
        assert seen == [antialias]


class Cosine(nn.Module):
    """A head of no library: it says neither its width nor its classes."""

    def __init__(self, dim: int, n: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(n, dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(embeddings @ self.directions.T, labels)


class TestHead:
    @pytest.mark.parametrize("make", [ElasticArcFace, Cosine, lambda dim, n: losses.ArcFaceLoss(n, dim)])
    def test_another_width_is_found_before_the_validation(
        self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any
    ) -> None:
        monkeypatch.setattr(Validation, "measure", lambda *_, **__: pytest.fail("it validated first"))
        net, _ = make_parts()
        with pytest.raises(WhalereidError, match=f"takes embeddings of width 100, the network's are {net.dim} wide"):
            run_fit(drawn, tmp_path / "run", drawn, make(100, 6))
        assert not (tmp_path / "run").exists()

    def test_too_few_classes_of_a_head_that_doesnt_say(self, drawn: Catalogue, tmp_path: Path) -> None:
        net, _ = make_parts()
        with pytest.raises(WhalereidError, match=r"can't take the last of the 6 classes .*train.n_identities"):
            run_fit(drawn, tmp_path / "run", None, Cosine(net.dim, 5))

    @pytest.mark.parametrize(
        ("head", "names"),
        [
            (nn.Identity(), r"can't take the network's embeddings of width 8 "),
            (nn.Linear(8, 2), "can't take the network's embeddings"),
        ],
    )
    def test_what_is_no_head(self, head: nn.Module, names: str) -> None:
        with pytest.raises(WhalereidError, match=names):
            check_head(head, 8, 3)

    def test_what_gives_no_loss(self) -> None:
        class PerPhoto(nn.Module):
            def forward(self, embeddings: Tensor, labels: Tensor) -> Any:
                return embeddings.sum(1) if self.training else (embeddings, labels)

        with pytest.raises(WhalereidError, match="the head gives a tuple"):
            check_head(PerPhoto(), 8, 3)

    def test_it_leaves_the_head_and_chance_as_they_were(self) -> None:
        class Counts(Cosine):
            def __init__(self) -> None:
                super().__init__(8, 3)
                self.register_buffer("calls", torch.zeros(()))

            def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
                self.calls += 1
                return super().forward(embeddings, labels) + 0 * torch.randn(())

        head = Counts().train()
        state = torch.get_rng_state()
        check_head(head, 8, 3)
        assert head.calls == 0
        assert head.training
        assert torch.equal(torch.get_rng_state(), state)
