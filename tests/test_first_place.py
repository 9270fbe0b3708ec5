"""The competition's example: known answers, the winner's files, and every command on small networks."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import whaledo_first_place as example

import whalereid as wr
from whalereid.cli.app import run

KINDS = ("b5-top", "v2m-top", "b5-lateral")


def command(*words: object) -> int:
    return run([str(word) for word in words], commands=example.app, name="whaledo_first_place")


# -------------------------------------------------------------------------------------------------- known answers


@pytest.mark.shared
def test_folds_are_the_winners_row_for_row(shared: Path) -> None:
    photos = wr.Catalogue.read(shared / "data" / "whaledo")
    expected = pd.read_csv(shared / "golden" / "model" / "top_folds.csv")
    for fold in range(5):
        train, valid = example.split(photos, "b5-top", fold)
        assert valid.image_ids.tolist() == expected.loc[expected["fold"] == fold, "image_id"].tolist()
        assert len(train) + len(valid) == len(expected)
    labels = photos.subset(expected["image_id"]).labels(photos.identities)
    assert labels.tolist() == expected["label"].tolist()


@pytest.mark.shared
def test_learning_rates_are_the_winners(shared: Path) -> None:
    golden = np.load(shared / "golden" / "model" / "expected.npz")["lr_top"]
    for kind in ("b5-top", "v2m-top"):
        how = example.recipe(kind)
        rates = [how.lr * how.schedule.factor(epoch, how.epochs) for epoch in range(how.epochs)]
        np.testing.assert_allclose(rates, golden, rtol=0, atol=1e-9)
    how = example.recipe("b5-lateral")
    rates = np.array([how.lr * how.schedule.factor(epoch, 20) for epoch in range(20)])
    np.testing.assert_allclose(rates[:8], golden[:8], rtol=0, atol=1e-9)
    # past the peak only the floor differs: (rate - floor) decays by the same factors from 1e-3 - floor
    np.testing.assert_allclose((rates[8:] - 1e-6) / (1e-3 - 1e-6), (golden[8:] - 9e-6) / (1e-3 - 9e-6), atol=1e-6)


def test_the_recipe_is_the_winners() -> None:
    how = example.recipe("b5-top")
    assert (how.epochs, how.batch_size, how.optimizer, how.precision, how.clip) == (20, 12, "adam", "fp32", None)
    assert (how.shuffle, how.select_by) == (True, "mAP")
    slipped = example.recipe("b5-top", as_submitted=True)
    assert (slipped.shuffle, slipped.select_by) == (False, "loss")
    assert example.recipe("v2m-top").transform == "whaledo-corner"
    assert sum(len(kind.folds) for kind in example.KINDS.values()) == 12


def golden_tables(shared: Path) -> dict[str, wr.Embeddings]:
    arrays = np.load(shared / "golden" / "ranking" / "embeddings.npz")
    return {n: wr.Embeddings.from_numpy(arrays["image_id"], arrays[n]) for n in ("b5_top", "v2_top", "b5_lateral")}


@pytest.mark.shared
@pytest.mark.parametrize(("options", "file"), [([], "expected.csv"), (["--as-submitted"], "expected_strict.csv")])
def test_submission_is_the_known_one(shared: Path, tmp_path: Path, options: list[str], file: str) -> None:
    for name, table in golden_tables(shared).items():
        table.write(tmp_path / f"{name}.parquet")
    folder, out = shared / "golden" / "ranking", tmp_path / "submission.csv"
    assert command("rank", "--data", folder, "--embeddings", tmp_path, "--out", out, *options) == 0
    got, expected = pd.read_csv(out), pd.read_csv(folder / file)
    assert got["query_id"].tolist() == expected["query_id"].tolist()
    assert got["database_image_id"].tolist() == expected["database_image_id"].tolist()
    np.testing.assert_allclose(got["score"], expected["score"], rtol=0, atol=1e-5)


@pytest.mark.shared
@pytest.mark.parametrize("case", ["case00", "case01", "case02", "case03"])
def test_score_is_the_competitions(shared: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "golden" / "scorer"
    submission, labels = folder / f"{case}_submission.csv", folder / f"{case}_labels.csv"
    pooled = example.show_scores({case: example.check_submission(submission)}, labels)
    expected = json.loads((folder / "expected.json").read_text())[case]
    assert pooled[case] == pytest.approx(expected, abs=1e-9)
    assert command("score", "--submission", submission, "--labels", labels) == 0
    shown = capsys.readouterr().out
    assert f"{expected:.4f}" in shown
    assert "scenario02" in shown


# ------------------------------------------------------------------------------------------- the winner's weight files


class Reference(torch.nn.Module):
    """The networks written out plainly, with the winner's parameter names."""

    def __init__(self, kind: str, backbone: torch.nn.Module, width: int, hardtanh: bool) -> None:
        super().__init__()
        self.backbone, self.kind, self.hardtanh = backbone, kind, hardtanh
        self.pooling = torch.nn.Module()
        self.pooling.p = torch.nn.Parameter(torch.tensor([3.0]))
        wide = width if kind == "v2m-top" else 3 * width
        self.bn = torch.nn.BatchNorm1d(wide)
        if kind != "v2m-top":
            self.ln = torch.nn.Linear(wide, width)
        self.final = torch.nn.Module()
        self.final.kernel = torch.nn.Parameter(torch.zeros(width, 788))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.backbone(images)
        pooled = maps.clamp(min=1e-6).pow(self.pooling.p).mean((2, 3)).pow(1 / self.pooling.p)
        if self.kind == "v2m-top":
            return self.bn(pooled)
        x = self.bn(torch.cat([pooled, pooled, pooled], 1))
        return self.ln(x.clamp(-1, 1) if self.hardtanh else x)


def winners_file(kind: str, path: Path, hardtanh: bool = True) -> Reference:
    """Write random weights in the winner's layout; returns the network they belong to."""
    import timm

    torch.manual_seed(KINDS.index(kind))
    backbone = timm.create_model(example.KINDS[kind].backbone, num_classes=0, global_pool="")
    net = Reference(kind, backbone, backbone.num_features, hardtanh and kind == "b5-lateral").eval()
    with torch.no_grad():
        net.pooling.p.fill_(2.7)
        net.bn.running_mean.uniform_(0, 0.2)
        net.bn.running_var.uniform_(0.001, 0.01)
    torch.save(net.state_dict(), path)
    return net


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_file_loads_and_embeds_as_the_winners(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    images = torch.randn(2, 3, 96, 64)
    for as_submitted in (False, True) if kind == "b5-lateral" else (False,):
        reference = winners_file(kind, path, hardtanh=not as_submitted)
        net = example.load_network(kind, path, as_submitted)
        assert not net.training
        with torch.inference_mode():
            torch.testing.assert_close(net(images), reference(images), rtol=0, atol=1e-4)
    assert net.dim == (2152 if kind == "v2m-top" else 2048)
    other = "v2m-top" if kind != "v2m-top" else "b5-top"
    with pytest.raises(wr.WhalereidError, match=r"weights\.bin: .*(shape|lacks|no tensor|'backbone)"):
        example.load_network(other, path)


@pytest.mark.slow
@pytest.mark.shared
def test_the_known_checkpoint_gives_the_known_embeddings(shared: Path, tmp_path: Path) -> None:
    folder = shared / "golden" / "model"
    spec = importlib.util.spec_from_file_location("build_checkpoint", folder / "build_checkpoint.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    torch.save(builder.state_dict(), tmp_path / "b5.bin")
    net, known = example.load_network("b5-top", tmp_path / "b5.bin"), np.load(folder / "expected.npz")
    with torch.inference_mode():
        got = net(torch.from_numpy(known["input"])).numpy()
    np.testing.assert_allclose(got, known["b5_top"], rtol=0, atol=1e-4)


def test_files_are_found_under_the_winners_names_and_ours(tmp_path: Path) -> None:
    names = [
        *(f"model_tf_efficientnet_b5_ns_IMG_SIZE_512_arcface_f{f}_6-9.bin" for f in range(5)),
        *(f"model_efficientnetv2_rw_m_IMG_SIZE_512_arcface_f{f}_7-05.bin" for f in (0, 2, 4)),
        *(f"model_tf_efficientnet_b2_ns_IMG_SIZE_512_arcface_literal_f{f}_4-38_nv.bin" for f in (0, 1, 2, 4)),
    ]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "notes.txt").touch()
    found = example.find_weights(tmp_path)
    assert {kind: tuple(sorted(files)) for kind, files in found.items()} == {
        k: v.folds for k, v in example.KINDS.items()
    }
    with pytest.raises(wr.WhalereidError, match="no weights of b5-top there"):
        example.find_weights(tmp_path / "absent")


def test_unknown_kind_lists_the_kinds() -> None:
    with pytest.raises(wr.WhalereidError, match="'b6-top'; choose from b5-top, v2m-top, b5-lateral"):
        example.load_network("b6-top", "x.bin")


# ------------------------------------------------------------------------------------------------------ every command


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, belugas: Path) -> Path:
    """Tiny networks of each kind, trained, embedded, ranked."""
    folder = tmp_path_factory.mktemp("first_place")
    small = ["--backbone", "test_resnet", "--image-size", 32, "--epochs", 1, "--weights", "random", "--batch-size", 16]
    for kind in KINDS:
        assert (
            command("train", "--data", belugas, "--network", kind, "--fold", 0, "--out", folder / "runs", *small) == 0
        )
    assert command("embed", "--data", belugas, "--weights", folder / "runs", "--out", folder / "tables") == 0
    assert (
        command("rank", "--data", belugas, "--embeddings", folder / "tables", "--out", folder / "submission.csv") == 0
    )
    return folder


def test_runs_are_kept_apart_by_name(work: Path) -> None:
    assert sorted(p.name for p in (work / "runs").iterdir()) == [f"{kind}-fold0" for kind in sorted(KINDS)]


def test_tables_hold_every_photo(work: Path, belugas: Path) -> None:
    photos = wr.Catalogue.read(belugas)
    for kind in example.KINDS.values():
        table = wr.Embeddings.read(work / "tables" / f"{kind.table}.parquet")
        assert set(table.ids) == set(photos.image_ids)
        assert len(table.provenance["concatenated"]) == 1


def test_submission_is_complete(work: Path, belugas: Path) -> None:
    photos, submission = wr.Catalogue.read(belugas), pd.read_csv(work / "submission.csv")
    queries = [query for scenario in photos.scenarios for query in scenario.query_ids]
    assert submission["query_id"].drop_duplicates().tolist() == queries
    assert submission["score"].between(0, 1).all()
    rows = submission.groupby("query_id").size()
    for scenario in photos.scenarios:
        for query, image in zip(scenario.query_ids, scenario.query_images, strict=True):
            assert rows[query] == min(20, len(set(scenario.database_images) - {image}))


def test_one_at_a_time_gives_the_same(work: Path, belugas: Path, tmp_path: Path) -> None:
    words = ("embed", "--data", belugas, "--weights", work / "runs", "--out", tmp_path, "--one-at-a-time")
    assert command(*words) == 0
    for kind in example.KINDS.values():
        ours = wr.Embeddings.read(work / "tables" / f"{kind.table}.parquet")
        theirs = wr.Embeddings.read(tmp_path / f"{kind.table}.parquet")
        np.testing.assert_allclose(theirs.take(ours.ids), ours.vectors, rtol=1e-4, atol=1e-4)


def test_score_by_scenario_and_viewpoints(work: Path, belugas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--submission", work / "submission.csv", "--labels", belugas / "labels.csv", "--data", belugas)
    assert command("score", *words) == 0
    shown = capsys.readouterr().out
    assert "all, pooled" in shown
    for scenario in wr.Catalogue.read(belugas).scenarios:
        assert scenario.name in shown
    assert "top" in shown


def test_the_demo_takes_photos_that_are_there_and_looks_for_animals_it_did_not_train_on(
    belugas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(example, "DEMO", {kind: ("test_resnet", 1, {}) for kind in KINDS})
    monkeypatch.setattr(example, "DEMO_SIZE", (32, 32))
    assert command("--data", belugas, "--out", tmp_path) == 0
    assert "all, pooled" in capsys.readouterr().out
    trained = {name for path in tmp_path.glob("runs/*/run.json") for name in json.loads(path.read_text())["identities"]}
    photos, submission = wr.Catalogue.read(belugas), pd.read_csv(tmp_path / "submission.csv")
    shown = {*submission["database_image_id"], *submission["query_id"].str.partition("-")[2]}
    assert trained
    assert shown
    assert trained.isdisjoint(photos.subset(sorted(shown)).identities)


def test_the_demo_needs_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos.csv").write_text("image_id,path,identity\na,a.jpg,x\n")
    assert command("--data", tmp_path / "photos.csv", "--out", tmp_path / "demo") == 2
    assert "no scenarios there (query_scenarios.csv)" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_a_trained_run_is_continued_not_overwritten(work: Path, belugas: Path) -> None:
    weights = work / "runs" / "b5-top-fold0" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    small = ["--backbone", "test_resnet", "--image-size", 32, "--epochs", 1, "--weights", "random", "--batch-size", 16]
    assert command("train", "--data", belugas, "--network", "b5-top", "--fold", 0, "--out", work / "runs", *small) == 0
    assert weights.stat().st_mtime_ns == before


def edited(work: Path, tmp_path: Path, change: str) -> Path:
    rows = pd.read_csv(work / "submission.csv")
    first = rows["query_id"] == rows["query_id"].iloc[0]
    if change == "duplicate":
        rows = pd.concat([rows, rows.iloc[[0]]])
    elif change == "nan":
        rows.loc[0, "score"] = np.nan
    elif change == "21":
        extra = pd.DataFrame({"query_id": rows["query_id"].iloc[0], "database_image_id": [f"x{i}" for i in range(21)],
                              "score": 0.5})  # fmt: skip
        rows = pd.concat([rows[~first], extra])
    elif change == "above":
        rows.loc[0, "score"] = 1.5
    rows.to_csv(tmp_path / "edited.csv", index=False)
    return tmp_path / "edited.csv"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("duplicate", "twice"),
        ("nan", "isn't a finite number"),
        ("21", "20 are allowed"),
        ("above", r"outside [0, 1]"),
    ],
)
def test_bad_submissions(
    work: Path, belugas: Path, tmp_path: Path, change: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    submission = edited(work, tmp_path, change)
    assert command("score", "--submission", submission, "--labels", belugas / "labels.csv") == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert message in error
    assert "edited.csv, row" in error


def test_bad_scenarios(work: Path, belugas: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    shutil.copytree(belugas, data, ignore=shutil.ignore_patterns("images"))
    scenarios = pd.read_csv(data / "query_scenarios.csv")
    database = data / scenarios["database_path"].iloc[0]
    whole = database.read_text()
    database.write_text("database_image_id\n")
    words = ("rank", "--data", data, "--embeddings", work / "tables", "--out", tmp_path / "out.csv")
    assert command(*words) == 2
    assert "database is empty" in capsys.readouterr().err
    database.write_text(whole)
    queries = data / scenarios["queries_path"].iloc[0]
    queries.write_text(queries.read_text() + "scenario01-nobody,nobody\n")
    assert command(*words) == 2
    error = capsys.readouterr().err
    assert "nobody" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


def test_options_that_can_not_be(belugas: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("train", "--data", belugas, "--network", "v2m-top", "--fold", 1, "--out", tmp_path) == 2
    assert "--fold 1: v2m-top has folds 0, 2, 4" in capsys.readouterr().err
    assert command("train", "--data", belugas, "--network", "b6", "--out", tmp_path) == 2
    assert "b5-lateral" in capsys.readouterr().err
    assert command("rank", "--data", belugas, "--embeddings", tmp_path, "--out", tmp_path / "s.csv") == 2
    assert "b5_top.parquet" in capsys.readouterr().err
