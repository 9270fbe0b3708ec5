"""What `fit` gives back, shown; the optimizer's groups; and what earlier versions wrote, resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from training.drawing import fit_quietly, make_parts
from whalereid.candidates import CandidateRules, WithinDays
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.training import Recipe, Run
from whalereid.training.optimizer import make_optimizer
from whalereid.training.run import HISTORY

QUICK = Recipe(epochs=2, batch_size=8, transform="plain")


def a_run(folder: str = "runs/first", n: int = 3, score: float = 0.5) -> Run:
    rows = [(epoch + 1, 1e-3, 9.0 - epoch, float("nan"), score, score, 1.5, 0.01) for epoch in range(n)]
    return Run(Path(folder), pd.DataFrame(rows, columns=HISTORY), min(2, n), {"mAP@20": 0.25, "top-1": 0.125})


def test_a_run_is_shown_in_a_line() -> None:
    assert repr(a_run()) == "Run('runs/first', best of 3 epochs: 2, mAP@20 0.500, top-1 0.500)"
    assert repr(a_run(score=float("nan"))) == "Run('runs/first', best of 3 epochs: 2)"


def test_a_run_in_a_notebook_is_small_and_escaped() -> None:
    shown = a_run("<script>alert(1)</script>", n=200)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "0.25" in shown  # the untrained network's
    assert "valid_loss" not in shown  # which was never measured
    assert len(shown) < 3000


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_what_decays(decay: float) -> None:
    net, head = make_parts(neck="bn-linear")
    groups = make_optimizer(net, head, Recipe(weight_decay=decay)).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    named = {**dict(net.named_parameters()), "W": head.W}
    assert decays.keys() == {id(p) for p in named.values()}
    for name, parameter in named.items():
        small = parameter.ndim < 2 or name.endswith("bias") or name == "pooling.p"
        assert decays[id(parameter)] == (0.0 if small else decay), name
    assert {group["peak"] for group in groups} == {1.6e-3, 1.6e-2}


def test_rules_of_any_kind_are_noted_and_said(
    drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dated = drawn.assign(date=["2020-01-01", "2020-01-02"] * 12)
    rules = CandidateRules(match=["viewpoint"], rules=[WithinDays(30)])
    fit_quietly(*make_parts(), drawn, dated, recipe=QUICK, out=tmp_path / "run", rules=rules, progress=True)
    assert "24 validation queries, always of the same viewpoint, at most 30 days apart" in capsys.readouterr().err
    noted = json.loads((tmp_path / "run" / "run.json").read_text())["valid"]["rules"]
    assert CandidateRules.from_list(noted) == rules
    asked = ["same:column=viewpoint", "within-days:days=30"]
    fit_quietly(*make_parts(), drawn, dated, recipe=QUICK, out=tmp_path / "run", rules=asked, resume=True)
    with pytest.raises(WhalereidError, match=r"valid rules was same:column=viewpoint, within-d.*, is now differ"):
        fit_quietly(*make_parts(), drawn, dated, recipe=QUICK, out=tmp_path / "run", resume=True)


def test_what_an_earlier_version_wrote_is_resumed(drawn: Catalogue, tmp_path: Path) -> None:
    out = tmp_path / "run"
    fit_quietly(*make_parts(), drawn, drawn, recipe=QUICK, out=out)
    noted = json.loads((out / "run.json").read_text())
    for part in ("head", "batches", "miner"):
        del noted["recipe"][part]
    noted["recipe"]["schedule"] = {"name": "warmup-cosine", "warmup": 0.1, "start": 0.01, "floor": 0.01}
    del noted["valid"]["rules"], noted["batches"]
    noted["valid"] |= {"exclude": ["encounter"], "match": []}
    noted["network"] |= {"copies": 1, "activation": None, "dropout": 0.0}
    (out / "run.json").write_text(json.dumps(noted))
    assert fit_quietly(*make_parts(), drawn, drawn, recipe=QUICK, out=out, resume=True).best_epoch
    (out / "run.json").write_text(json.dumps(noted))
    with pytest.raises(WhalereidError, match=r"valid rules was differ:column=encounter, is now \[\]"):
        fit_quietly(*make_parts(), drawn, drawn, recipe=QUICK, out=out, resume=True, rules=())


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_float16_scales_its_loss_and_resumes(
    drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    """CPUs are slow in it, which is why recipes refuse it there; its arithmetic is the same."""
    if (device == "cuda") != torch.cuda.is_available():
        pytest.skip("needs an accelerator, or a machine without")
    last = {}
    for name, dtype in (("half", torch.float16), ("full", None)):
        monkeypatch.setattr("whalereid.training.steps.autocast_dtype", lambda *_, dtype=dtype: dtype)
        run = fit_quietly(*make_parts(), drawn, recipe=QUICK.but(epochs=8, lr=1e-4), out=tmp_path / name)
        last[name] = run.history["train_loss"].to_numpy()
        state = torch.load(tmp_path / name / "checkpoint" / "last.pt", weights_only=True)["scaler"]
        assert (state is not None and state["scale"] > 1) == (name == "half")
    assert last["half"][0] != last["full"][0]
    assert last["half"][-1] < 0.3 * last["half"][0]  # although its first steps only find the scale
    monkeypatch.setattr("whalereid.training.steps.autocast_dtype", lambda *_: torch.float16)
    again = fit_quietly(*make_parts(), drawn, recipe=QUICK.but(epochs=8, lr=1e-4), out=tmp_path / "half", resume=True)
    assert len(again.history) == 8


def test_any_module_is_a_head(drawn: Catalogue, tmp_path: Path) -> None:
    class Spread(nn.Module):
        def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return (embeddings - embeddings.mean(0)).pow(2).mean()

    run = fit_quietly(make_parts()[0], Spread(), drawn, drawn, recipe=QUICK, out=tmp_path / "run")
    assert run.history["valid_loss"].notna().all()
