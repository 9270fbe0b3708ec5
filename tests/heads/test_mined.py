"""Heads by name, and miners before them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor, nn

from training.drawing import draw_photos, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace, Mined
from whalereid.parts import HEADS, MINERS
from whalereid.training import Recipe
from whalereid.training.checks import check_head

QUICK = Recipe(epochs=2, batch_size=8, transform="plain")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return draw_photos(tmp_path_factory.mktemp("photos"))


class Linear(nn.Module):
    """A head of one's own, without indices."""

    def __init__(self, dim: int, n: int) -> None:
        super().__init__()
        self.layer = nn.Linear(dim, n)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.layer(embeddings), labels)


@pytest.mark.parametrize("name", list(HEADS))
@pytest.mark.parametrize("miner", [None, "multi-similarity:epsilon=0.2"])
def test_every_head_trains_by_name(photos: Catalogue, tmp_path: Path, name: str, miner: str | None) -> None:
    recipe = QUICK.but(head=name, miner=miner, batches="by-identity:per_identity=2")
    net, _ = make_parts()
    run = fit_quietly(net, None, photos, photos, recipe=recipe, out=tmp_path / "run")
    assert run.history[["train_loss", "valid_loss"]].notna().all(axis=None)
    noted = json.loads((tmp_path / "run" / "run.json").read_text())
    assert noted["recipe"]["head"]["name"] == name
    assert ("miner" in noted["head"]) == (miner is not None)
    again = fit_quietly(make_parts()[0], name, photos, photos, recipe=recipe, out=tmp_path / "run", resume=True)
    assert again.best_epoch == run.best_epoch


def test_a_head_made_by_name_begins_by_the_seed_alone(photos: Catalogue, tmp_path: Path) -> None:
    files = []
    for number in (0, 1):
        net, _ = make_parts()
        torch.manual_seed(number)
        fit_quietly(net, "elastic-arcface:margin=0.3", photos, recipe=QUICK, out=tmp_path / str(number))
        files.append((tmp_path / str(number) / "head.safetensors").read_bytes())
    assert files[0] == files[1]


def test_options_reach_the_head(photos: Catalogue, tmp_path: Path) -> None:
    fit_quietly(make_parts()[0], "elastic-arcface:margin=0.3,std=0", photos, recipe=QUICK, out=tmp_path / "run")
    noted = json.loads((tmp_path / "run" / "run.json").read_text())
    assert noted["recipe"]["head"] == {"name": "elastic-arcface", "options": {"margin": 0.3, "std": 0}}
    assert noted["head"]["std"] == 0
    with pytest.raises(WhalereidError, match=r"recipe head options margin was 0\.3, is now 0\.4"):
        fit_quietly(
            make_parts()[0], "elastic-arcface:margin=0.4,std=0", photos, recipe=QUICK, out=tmp_path / "run", resume=True
        )  # fmt: skip


def test_the_miner_decides_what_the_loss_sees() -> None:
    embeddings, labels = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), torch.arange(8) // 2
    loss, miner = losses.TripletMarginLoss(margin=0.5), miners.BatchHardMiner()
    head = Mined(loss, miner).train()
    assert head(embeddings, labels) == loss(embeddings, labels, miner(embeddings, labels))
    assert head(embeddings, labels) != loss(embeddings, labels)
    assert head.eval()(embeddings, labels) == loss(embeddings, labels)
    hard = ElasticArcFace(4, 4, std=0)
    assert Mined(hard, miner).train()(embeddings, labels) == hard(embeddings, labels, miner(embeddings, labels))


@pytest.mark.parametrize(
    ("loss", "miner", "says"),
    [
        (Linear(8, 3), miners.BatchHardMiner(), "the head Linear takes embeddings and labels alone"),
        ("triplet", miners.BatchHardMiner(), "loss is a str"),
        (losses.TripletMarginLoss(), "batch-hard", "miner is 'batch-hard'"),
        (losses.TripletMarginLoss(), miners.BatchHardMiner, "miner is <class"),
    ],
)
def test_what_cannot_be_mined(loss: Any, miner: Any, says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        Mined(loss, miner)


def test_trying_a_miner_leaves_the_head_as_it_was(photos: Catalogue, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    net, _ = make_parts()
    head = Mined(ElasticArcFace(net.dim, 6, generator=generator), miners.MultiSimilarityMiner())
    state = generator.get_state()
    check_head(head, net.dim, 6)
    assert torch.equal(generator.get_state(), state)
    assert head.training


def test_fit_refuses_what_does_not_go_together(photos: Catalogue, tmp_path: Path) -> None:
    net, _ = make_parts()
    with pytest.raises(WhalereidError, match="the head Linear takes embeddings and labels alone"):
        fit_quietly(net, Linear(net.dim, 6), photos, recipe=QUICK.but(miner="batch-hard"), out=tmp_path / "run")
    wrong = Mined(losses.TripletMarginLoss(), lambda embeddings: embeddings)
    with pytest.raises(WhalereidError, match="the miner function and the head TripletMarginLoss don't go together"):
        fit_quietly(net, wrong, photos, recipe=QUICK, out=tmp_path / "run")
    with pytest.raises(WhalereidError, match="head 'contrastive' has no option 'margin'; it has pos_margin=0, neg"):
        fit_quietly(net, "contrastive:margin=1", photos, recipe=QUICK, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_options_of_others_are_listed_without_torch() -> None:
    asked = "print(HEADS.lines(), MINERS.lines()); print('torch' in sys.modules)"
    code = f"import sys; from whalereid.parts import HEADS, MINERS; {asked}"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "('contrastive', 'pos_margin=0, neg_margin=1')" in said
    assert "('batch-hard', 'allowed_pos_range=None, allowed_neg_range=None')" in said
    assert said.endswith("False\n")
    for registry in (HEADS, MINERS):
        assert not any(option.takes_any for name in registry for option in registry.options(name).values())
