from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from training.drawing import GREY, draw_photos, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings, embed
from whalereid.errors import WhalereidError
from whalereid.files import temporary
from whalereid.heads import ElasticArcFace
from whalereid.images import TRAINING_TRANSFORMS, CrossViewPairs, PhotoDataset
from whalereid.models import Embedder, load_weights
from whalereid.training import RampThenDecay, Recipe, Run
from whalereid.training.run import HISTORY
from whalereid.training.steps import LossOfBatch
from whalereid.training.validation import Validation, ValidationScores

QUICK = Recipe(epochs=3, batch_size=8, transform="plain")


def run_fit(photos: Any, valid: Any, out: Path, **options: Any) -> Run:
    net, head = options.pop("parts", None) or make_parts()
    return fit_quietly(net, head, photos, valid, out=out, **{"recipe": QUICK} | options)


def weights(run: Path, name: str = "model") -> dict[str, Tensor]:
    return load_file(run / f"{name}.safetensors")


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


class Killed(BaseException):
    """What nothing in a program can answer, as a kill."""


class StopsAt(ElasticArcFace):
    """A head that raises in the middle of an epoch, once."""

    def __init__(self, dim: int, n: int, step: int, error: BaseException) -> None:
        super().__init__(dim, n)
        self._step, self._error = step, error

    def forward(self, embeddings: Tensor, labels: Tensor, **others: Any) -> Tensor:
        if self.training:
            self._step -= 1
            if self._step == 0:
                raise self._error
        return super().forward(embeddings, labels, **others)


def parts_that_stop(step: int, error: BaseException) -> tuple[Embedder, nn.Module]:
    net, head = make_parts()
    stopping = StopsAt(net.dim, 6, step, error)
    stopping.load_state_dict(head.state_dict())
    stopping.__class__.__name__ = "ElasticArcFace"  # what a resumed training compares
    return net, stopping


def scripted(monkeypatch: pytest.MonkeyPatch, figures: list[tuple[float, float]]) -> None:
    """Let the validation give these (mAP@20, loss), the first before training."""
    given = iter(figures)

    def measure(self: Validation, *_: Any, **__: Any) -> ValidationScores:
        average, loss = next(given)
        return ValidationScores(loss, average, average)

    monkeypatch.setattr(Validation, "measure", measure)


@pytest.fixture(scope="module")
def finished(drawn: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing disturbed; read only."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("finished") / "run"
    run_fit(drawn, drawn, out)
    return out


def test_a_training_teaches(drawn: Catalogue, tmp_path: Path) -> None:
    recipe = QUICK.but(epochs=8)
    run = run_fit(drawn, drawn, tmp_path / "run", recipe=recipe)
    losses = run.history["train_loss"].to_numpy()
    assert losses[-1] < 0.5 * losses[0]
    assert run.history["valid_mAP@20"].max() > run.untrained["mAP@20"] + 0.1


def test_what_the_folder_holds(finished: Path, drawn: Catalogue) -> None:
    held = sorted(path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file())
    assert held == [
        "checkpoint/last.pt",
        "config.json",
        "head.safetensors",
        "history.csv",
        "model.safetensors",
        "run.json",
    ]
    run = json.loads((finished / "run.json").read_text())
    assert run["seed"] == 0
    assert run["identities"] == list(drawn.identities)
    assert Recipe.from_dict(run["recipe"]) == QUICK
    assert run["progress"]["finished"]
    assert run["progress"]["epochs"] == 3
    assert run["valid"]["rules"] == [{"name": "differ", "options": {"column": "encounter"}}]


def test_a_network_knows_what_it_was_trained_on(drawn: Catalogue, tmp_path: Path) -> None:
    train, valid = drawn[:16], drawn[16:]
    out = tmp_path / "run"
    run_fit(train, valid, out)
    net = Embedder.load(out)
    assert net.trained_on is not None
    assert net.trained_on.has_photos(drawn).tolist() == [True] * 16 + [False] * 8
    assert net.trained_on.chose_by(drawn).tolist() == [False] * 16 + [True] * 8
    assert net.trained_on.has_identities(drawn.identities).tolist() == [i in train.identities for i in drawn.identities]
    vectors = embed(net, valid, out=tmp_path / "vectors.parquet", progress=False)
    for held in (vectors, Embeddings.read(tmp_path / "vectors.parquet")):
        assert held.trained_on is not None
        assert held.trained_on.has_photos(drawn).sum() == 16
    net.save(tmp_path / "copy")
    again = Embedder.load(tmp_path / "copy")
    run_fit(valid, None, tmp_path / "second", parts=(again, ElasticArcFace(again.dim, 6)))
    twice = Embedder.load(tmp_path / "second").trained_on
    assert twice is not None
    assert twice.has_photos(drawn).all()  # what it learnt before counts too


def test_weights_from_elsewhere_leave_untold_what_was_trained_on(finished: Path) -> None:
    net, _ = make_parts()
    assert net.trained_on is not None
    assert not net.trained_on
    load_weights(net, weights(finished))
    assert net.trained_on is None
    load_weights(net, finished / "model.safetensors")
    assert net.trained_on


def test_of_pairs_only_what_they_show_was_trained_on(drawn: Catalogue) -> None:
    photos = drawn.assign(viewpoint=["top", "left", "front", "top"] * 6)
    keep = np.ones(24, bool)
    keep[[1]] = False  # the first animal has no left photo, so no pairs
    pairs = CrossViewPairs(photos[keep], TRAINING_TRANSFORMS["plain"](32))
    used = photos[keep][pairs.used]
    assert set(used.column("viewpoint")) == {"top", "left"}
    assert used.n_identities == 5


def test_the_history_has_a_row_an_epoch(finished: Path) -> None:
    history = pd.read_csv(finished / "history.csv")
    assert list(history) == HISTORY
    assert history["epoch"].tolist() == [1, 2, 3]
    rates = [QUICK.lr * QUICK.schedule.factor(epoch, 3) for epoch in range(3)]
    np.testing.assert_allclose(history["lr"], rates)
    assert history["waiting"].between(0, 1).all()
    assert history.notna().all(axis=None)


def test_the_network_comes_back_as_the_best_epoch(drawn: Catalogue, tmp_path: Path) -> None:
    net, head = make_parts()
    run_fit(drawn, drawn, tmp_path / "run", parts=(net, head))
    assert not net.training
    loaded = Embedder.load(tmp_path / "run")
    assert loaded.fingerprint == net.fingerprint
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(loaded(images), net(images))
    assert "forward" not in vars(net)  # nothing of Accelerate is left on it
    assert same(dict(head.state_dict()), weights(tmp_path / "run", "head"))


def test_two_trainings_of_one_seed_are_equal(finished: Path, drawn: Catalogue, tmp_path: Path) -> None:
    torch.manual_seed(12345)
    state = torch.get_rng_state()
    run_fit(drawn, drawn, tmp_path / "again", workers=2, parts=make_parts_keeping(state))
    assert torch.equal(torch.get_rng_state(), state)  # the caller's own draws go on as they would have
    assert same(weights(tmp_path / "again"), weights(finished))
    columns = [name for name in HISTORY if name not in ("seconds", "waiting")]
    ours, theirs = (pd.read_csv(run / "history.csv")[columns] for run in (tmp_path / "again", finished))
    pd.testing.assert_frame_equal(ours, theirs)
    run_fit(drawn, drawn, tmp_path / "other", seed=1)
    assert not same(weights(tmp_path / "other"), weights(finished))


def make_parts_keeping(state: Tensor) -> tuple[Embedder, ElasticArcFace]:
    parts = make_parts()
    torch.set_rng_state(state)
    return parts


@pytest.mark.parametrize("step", [2, 5])
def test_a_killed_training_resumes_to_the_same_result(
    finished: Path, drawn: Catalogue, tmp_path: Path, step: int
) -> None:
    """Three steps an epoch: stopped in the first epoch, and in the second."""
    out = tmp_path / "run"
    with pytest.raises(Killed):
        run_fit(drawn, drawn, out, parts=parts_that_stop(step, Killed()))
    assert (out / "checkpoint" / "last.pt").exists() == (step > 3)
    temporary(out / "model.safetensors", pid=99).write_bytes(b"half")
    net, head = make_parts()
    torch.nn.init.constant_(next(net.parameters()), 0.5) if step > 3 else None  # the checkpoint's weights count
    run = run_fit(drawn, drawn, out, resume=True, parts=(net, head))
    assert same(weights(out), weights(finished))
    assert same(weights(out, "head"), weights(finished, "head"))
    assert run.history["epoch"].tolist() == [1, 2, 3]
    assert not list(out.rglob(".*"))


def test_resuming_what_is_finished_changes_nothing(drawn: Catalogue, tmp_path: Path) -> None:
    run = run_fit(drawn, drawn, tmp_path / "run")
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    again = run_fit(drawn, drawn, tmp_path / "run", resume=True)
    assert again.best_epoch == run.best_epoch
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    pd.testing.assert_frame_equal(again.history, run.history)


def test_ctrl_c_says_how_to_go_on(drawn: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"keeps the 1 of 3 epochs .* --resume"):
        run_fit(drawn, drawn, tmp_path / "run", parts=parts_that_stop(5, KeyboardInterrupt()))
    Embedder.load(tmp_path / "run")


def test_a_full_disk_keeps_the_checkpoint_before(
    drawn: Catalogue, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, write, written = tmp_path / "run", Path.write_bytes, []

    def full(path: Path, data: Any) -> int:
        written.append(path.name)
        if sum(name.endswith(".pt") for name in written) > 1:
            write(path, bytes(data)[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WhalereidError, match=r"last\.pt: the disk is full"):
        run_fit(drawn, drawn, out)
    monkeypatch.undo()
    assert json.loads((out / "run.json").read_text())["progress"]["epochs"] == 1
    run_fit(drawn, drawn, out, resume=True)
    assert same(weights(out), weights(finished))


def test_the_best_epoch_is_chosen_by_retrieval(
    drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, [(0.1, 9.0), (0.3, 3.0), (0.8, 7.0), (0.8, 1.0)])
    run = run_fit(drawn, drawn, tmp_path / "run")
    assert run.best_epoch == 2  # neither the last, nor the lowest loss; of equals the first
    assert run.untrained == {"mAP@20": 0.1, "top-1": 0.1}
    monkeypatch.undo()
    run_fit(drawn, None, tmp_path / "two", recipe=QUICK)
    assert not same(weights(tmp_path / "run"), weights(tmp_path / "two"))


def test_the_best_epoch_can_be_chosen_by_loss(
    drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, [(0.1, 9.0), (0.3, 3.0), (0.8, 7.0), (0.9, 5.0)])
    assert run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(select_by="loss")).best_epoch == 1


def test_patience_stops_early(drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [(0.1, 0), (0.2, 0), (0.5, 0), (0.4, 0), (0.5, 0), (0.9, 0)])
    run = run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(epochs=9, patience=2))
    assert (len(run.history), run.best_epoch) == (4, 2)
    again = run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(epochs=9, patience=2), resume=True)
    assert len(again.history) == 4


def test_without_validation_the_last_epoch_is_kept(
    drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_fit(drawn, None, tmp_path / "run", progress=True)
    assert run.best_epoch == 3
    assert run.untrained == {}
    assert run.history["valid_mAP@20"].isna().all()
    assert "the last epoch will be kept" in capsys.readouterr().err


def test_words_on_the_way(drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_fit(drawn, drawn, tmp_path / "run", progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("Warning: Leakage:") for line in lines)
    assert any("24 validation queries, never of the same encounter" in line for line in lines)
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 3
    assert all(word in epochs[0] for word in ("loss", "mAP@20", "photos/s", "% of the time waiting for photos", "left"))
    assert "left" not in epochs[2]
    assert any(line.startswith("In all, ") for line in lines)
    assert lines[-1].startswith("best: epoch ") or "untrained network ranks" in lines[-1]


def test_identities_apart_have_no_validation_loss(drawn: Catalogue, tmp_path: Path) -> None:
    train, valid = (
        drawn.filter(identity=[f"animal{n}" for n in range(4)]),
        drawn.filter(identity=["animal4", "animal5"]),
    )
    run = run_fit(train, valid, tmp_path / "run", parts=make_parts(4))
    assert run.history["valid_loss"].isna().all()
    assert run.history["valid_mAP@20"].notna().all()
    with pytest.raises(WhalereidError, match="no validation photo is of an identity seen in training"):
        run_fit(train, valid, tmp_path / "loss", recipe=QUICK.but(select_by="loss"), parts=make_parts(4))


def test_unknown_identities_are_left_out_of_training(
    drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = drawn.assign(identity=drawn.column("identity").where(drawn.column("identity") != "animal5"))
    run_fit(photos, photos, tmp_path / "run", parts=make_parts(5), progress=True)
    assert "4 photos of unknown identity are left out" in capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "run.json").read_text())["train"]["items"] == 20


def test_pairs_train_on_both_views(drawn: Catalogue, tmp_path: Path) -> None:
    pairs = CrossViewPairs(drawn, TRAINING_TRANSFORMS["plain"](32, GREY, GREY), "top", "left")
    run = run_fit(pairs, drawn, tmp_path / "run", recipe=QUICK.but(epochs=6, lr=3e-3))
    losses = run.history["train_loss"].to_numpy()
    assert losses[-1] < 0.5 * losses[0]
    assert run.history.notna().all(axis=None)
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (held["train"]["anchor"], held["train"]["partner"]) == (["top"], ["left"])


def test_the_loss_of_a_pair_is_the_sum_of_its_views() -> None:
    net, _ = make_parts()
    head = ElasticArcFace(net.dim, 6, std=0)
    images, labels = torch.rand(5, 2, 3, 32, 32), torch.tensor([0, 1, 2, 3, 0])
    loss_of = LossOfBatch(net, head).train()
    means = []
    net.neck.bn.register_forward_pre_hook(lambda _, inputs: means.append(inputs[0].mean(0)))
    together = loss_of(images, labels)
    assert len(means) == 2  # batch norm sees one viewpoint at a time
    alone = [loss_of(images[:, view], labels) for view in (0, 1)]
    torch.testing.assert_close(together, alone[0] + alone[1])
    torch.testing.assert_close(means[0], means[2])
    torch.testing.assert_close(means[1], means[3])


def test_data_sets_bring_their_own_transform(drawn: Catalogue, tmp_path: Path) -> None:
    items = PhotoDataset(drawn, TRAINING_TRANSFORMS["plain"](32, GREY, GREY), seed=3)
    run = run_fit(items, None, tmp_path / "run", recipe=Recipe(epochs=1, batch_size=8, transform="none at all"))
    assert len(run.history) == 1


def test_rates_follow_the_schedule(drawn: Catalogue, tmp_path: Path) -> None:
    schedule = RampThenDecay(ramp=2, start=0.1, floor=0.05, steps_per_epoch=2)
    recipe = QUICK.but(optimizer="adam", lr=1e-3, schedule=schedule, shuffle=False)
    run = run_fit(drawn, None, tmp_path / "run", recipe=recipe)
    np.testing.assert_allclose(run.history["lr"], [1e-4, 1e-3, 1e-3 * (0.05 + 0.95 * 0.8**2)])


def test_half_precision_learns_like_full(drawn: Catalogue, tmp_path: Path) -> None:
    last = {}
    for precision in ("fp32", "bf16"):
        net, head = make_parts()
        recipe = QUICK.but(epochs=6, precision=precision)
        last[precision] = run_fit(drawn, None, tmp_path / precision, recipe=recipe, parts=(net, head)).history
        assert {p.dtype for p in [*net.parameters(), *head.parameters()]} == {torch.float32}
    ours, theirs = (last[precision]["train_loss"].to_numpy() for precision in ("bf16", "fp32"))
    assert not np.array_equal(ours, theirs)
    np.testing.assert_allclose(ours, theirs, rtol=0.15, atol=0.2)  # of losses that begin at 16


def test_gradients_are_clipped(drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    original = torch.nn.utils.clip_grad_norm_

    def spy(parameters: Any, max_norm: float, **options: Any) -> Tensor:
        parameters = list(parameters)
        result = original(parameters, max_norm, **options)
        left = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]).norm()
        norms.append((float(result), float(left)))
        return result

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", spy)
    run_fit(drawn, None, tmp_path / "run", recipe=QUICK.but(epochs=1, clip=0.25))
    assert len(norms) == 3
    assert all(before > 0.25 and after <= 0.2501 for before, after in norms)


def test_a_diverged_training_stops(drawn: Catalogue, tmp_path: Path) -> None:
    class Diverges(ElasticArcFace):
        def forward(self, embeddings: Tensor, labels: Tensor, **others: Any) -> Tensor:
            return super().forward(embeddings, labels, **others) * (float("nan") if self.training else 1.0)

    net, _ = make_parts()
    with pytest.raises(WhalereidError, match=r"epoch 1: the loss is nan.*--lr"):
        run_fit(drawn, drawn, tmp_path / "run", parts=(net, Diverges(net.dim, 6)))
    assert not (tmp_path / "run").exists()


def test_skipped_photos_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = draw_photos(tmp_path / "photos")
    (tmp_path / "photos" / "animal1-2.png").write_text("no photo")
    (tmp_path / "photos" / "animal2-0.png").unlink()
    with pytest.raises(WhalereidError, match=r"1 of 24 photos are not there: .*animal2-0\.png"):
        run_fit(photos, photos, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (tmp_path / "photos" / "animal2-0.png").write_text("no photo either")
    with pytest.raises(WhalereidError, match=r"animal\d-\d\.png: is not a photo"):
        run_fit(photos, photos, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    run = run_fit(photos, photos, tmp_path / "other", on_error="skip", progress=True)
    assert run.history["valid_mAP@20"].notna().all()
    said = capsys.readouterr().err
    assert "skipped animal1-2" in said
    assert "skipped animal2-0" in said
    assert "validation: 2 photos were left out" in said


def test_half_a_first_file_of_a_killed_training_is_no_obstacle(drawn: Catalogue, tmp_path: Path) -> None:
    temporary(tmp_path / "run.json", pid=99).write_text("{")
    run_fit(drawn, None, tmp_path, recipe=QUICK.but(epochs=1))


class TestFolders:
    def test_what_holds_something_else_is_refused(self, drawn: Catalogue, tmp_path: Path) -> None:
        (tmp_path / "thesis.doc").write_text("draft")
        with pytest.raises(WhalereidError, match=r"already holds something else \(thesis.doc\)"):
            run_fit(drawn, drawn, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]

    def test_a_training_is_not_overwritten(self, drawn: Catalogue, finished: Path) -> None:
        with pytest.raises(WhalereidError, match=r"holds a training \(3 of 3 epochs\); go on with --resume"):
            run_fit(drawn, drawn, finished)

    def test_nothing_to_resume(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="no training there to resume"):
            run_fit(drawn, drawn, tmp_path / "run", resume=True)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize(
        ("changed", "names"),
        [
            ({"recipe": QUICK.but(lr=0.5)}, "recipe lr was 0.0016, is now 0.5"),
            ({"recipe": QUICK.but(schedule=RampThenDecay())}, "schedule name was warmup-cosine, is now ramp"),
            ({"seed": 4}, "seed was 0, is now 4"),
            ({"rules": []}, r"valid rules was differ:column=encounter, is now \[\]"),
            ({"parts": make_parts(neck="bn:dropout=0.5")}, "network neck was bn, is now bn:dropout=0.5"),
        ],
    )
    def test_resuming_otherwise_is_refused_by_name(
        self, drawn: Catalogue, finished: Path, changed: dict[str, Any], names: str
    ) -> None:
        with pytest.raises(WhalereidError, match=names):
            run_fit(drawn, drawn, finished, resume=True, **changed)

    def test_resuming_on_other_photos_is_refused(self, drawn: Catalogue, finished: Path) -> None:
        with pytest.raises(WhalereidError, match="train items was 24, is now 20"):
            run_fit(drawn[4:], drawn, finished, resume=True, parts=make_parts(6))

    def test_a_damaged_checkpoint_is_named(self, drawn: Catalogue, tmp_path: Path) -> None:
        run_fit(drawn, None, tmp_path / "run", recipe=QUICK.but(epochs=1))
        (tmp_path / "run" / "checkpoint" / "last.pt").write_bytes(b"half")
        with pytest.raises(WhalereidError, match=r"last\.pt: damaged"):
            run_fit(drawn, None, tmp_path / "run", recipe=QUICK.but(epochs=1), resume=True)

    def test_another_tools_marker_is_refused(self, drawn: Catalogue, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_text('{"mine": 1}')
        with pytest.raises(WhalereidError, match=r"run\.json: isn't what"):
            run_fit(drawn, drawn, tmp_path)


class TestPhotosThatCannotBeUsed:
    def test_one_identity(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match=r"drawn: .*one identity \(animal0\)"):
            run_fit(drawn.filter(identity="animal0"), drawn, tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_no_identity(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="no photo has a known identity"):
            run_fit(drawn.assign(identity="unknown"), drawn, tmp_path / "run")

    def test_no_photos(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="no photos to train on"):
            run_fit(drawn[[]], drawn, tmp_path / "run")
        with pytest.raises(WhalereidError, match="the validation part has no photos"):
            run_fit(drawn, drawn[[]], tmp_path / "run")

    def test_nobody_to_find_again(self, drawn: Catalogue, tmp_path: Path) -> None:
        once = drawn[::4]
        with pytest.raises(WhalereidError, match=r"no validation photo has another .*never of the same encounter"):
            run_fit(drawn, once, tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_a_column_that_is_not_there(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="no column 'season'"):
            run_fit(drawn, drawn, tmp_path / "run", rules=["same:column=season"])

    def test_a_head_too_small(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="tells 4 identities apart, the training photos are of 6"):
            run_fit(drawn, drawn, tmp_path / "run", parts=make_parts(4))

    def test_an_unknown_transform(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="unknown training transform 'heavier'"):
            run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(transform="heavier"))

    def test_half_precision_of_accelerators_on_a_cpu(self, drawn: Catalogue, tmp_path: Path) -> None:
        if torch.cuda.is_available():
            pytest.skip("needs a machine without an accelerator")
        with pytest.raises(WhalereidError, match="'fp16' is for accelerators"):
            run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(precision="fp16"))
