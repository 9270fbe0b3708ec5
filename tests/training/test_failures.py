"""What a training leaves behind that fails: nothing before its first epoch's end, all that is done after it.

A full disk can be mended: the training goes on with --resume, also in its first epoch.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from torch import Tensor

from training.drawing import draw_photos, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace
from whalereid.training import Recipe, Run
from whalereid.training.validation import Validation, ValidationScores

QUICK = Recipe(epochs=3, batch_size=8, transform="plain")
NAN = float("nan")


class AtStep(ElasticArcFace):
    """A head that does something once, at a step counted from 1; an epoch has three."""

    def __init__(self, dim: int, n: int, step: int, act: Callable[[], None]) -> None:
        super().__init__(dim, n)
        self._step, self._act = step, act

    def forward(self, embeddings: Tensor, labels: Tensor, **others: Any) -> Tensor:
        if self.training:
            self._step -= 1
            if self._step == 0:
                self._act()
        return super().forward(embeddings, labels, **others)


def parts(step: int, act: Callable[[], None]) -> tuple[Any, Any]:
    net, head = make_parts()
    acting = AtStep(net.dim, 6, step, act)
    acting.load_state_dict(head.state_dict())
    acting.__class__.__name__ = "ElasticArcFace"  # what a resumed training compares
    return net, acting


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def run_fit(photos: Any, valid: Any, out: Path, **options: Any) -> Run:
    net, head = options.pop("parts", None) or make_parts()
    return fit_quietly(net, head, photos, valid, out=out, **{"recipe": QUICK} | options)


class TestMemory:
    ERRORS = (
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
        RuntimeError("DataLoader worker (pid 123) is killed by signal: Killed. "),
        cv2.error("OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9000000 bytes"),
    )

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error)[:12] or "MemoryError")
    def test_in_the_first_epoch_nothing_is_left(self, drawn: Catalogue, tmp_path: Path, error: BaseException) -> None:
        out = tmp_path / "run"
        with pytest.raises(WhalereidError, match=r"memory is too small for batches of 8 .* lower --batch-size"):
            run_fit(drawn, drawn, out, parts=parts(2, raises(error)))
        assert not out.exists()
        assert len(run_fit(drawn, drawn, out, recipe=QUICK.but(batch_size=4)).history) == 3

    def test_later_the_epochs_done_are_kept_and_resumed(self, drawn: Catalogue, tmp_path: Path) -> None:
        out = tmp_path / "run"
        with pytest.raises(WhalereidError, match=r"memory is too small .*run keeps the 1 of 3 epochs"):
            run_fit(drawn, drawn, out, parts=parts(5, raises(MemoryError())))
        assert len(run_fit(drawn, drawn, out, resume=True).history) == 3

    def test_in_the_validation(self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Validation, "measure", lambda *_, **__: raises(MemoryError())())
        with pytest.raises(WhalereidError, match="memory is too small"):
            run_fit(drawn, drawn, tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_as_the_network_moves_to_its_device(
        self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accelerate.Accelerator.prepare", lambda *_: raises(MemoryError())())
        with pytest.raises(WhalereidError, match="memory is too small"):
            run_fit(drawn, drawn, tmp_path / "run")
        assert not (tmp_path / "run").exists()


class TestFolder:
    def test_any_failure_in_the_first_epoch_leaves_nothing(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            run_fit(drawn, drawn, tmp_path / "run", parts=parts(2, raises(ZeroDivisionError())))
        assert not (tmp_path / "run").exists()

    def test_a_disk_that_fills_up_with_the_first_checkpoint(
        self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = Path.write_bytes

        def full(path: Path, data: Any) -> int:
            if path.suffix == ".pt":
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(path, data)

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(WhalereidError, match=r"the disk is full.* keeps the 0 of 3 epochs .*--resume"):
            run_fit(drawn, drawn, tmp_path / "run")
        monkeypatch.undo()
        assert len(run_fit(drawn, drawn, tmp_path / "run", resume=True).history) == 3

    def test_stopped_in_the_first_epoch_it_begins_anew_also_with_other_settings(
        self, drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """As after a kill, which leaves the folder as it is."""
        out = tmp_path / "run"
        with pytest.raises(KeyboardInterrupt, match=r"keeps the 0 of 3 epochs .* --resume"):
            run_fit(drawn, drawn, out, parts=parts(2, raises(KeyboardInterrupt())))
        with pytest.raises(WhalereidError, match=r"\(0 of 3 epochs\); go on with --resume"):
            run_fit(drawn, drawn, out)
        run = run_fit(drawn, drawn, out, resume=True, recipe=QUICK.but(batch_size=4), progress=True)
        assert len(run.history) == 3
        assert "No epoch was finished there" in capsys.readouterr().err
        assert json.loads((out / "run.json").read_text())["recipe"]["batch_size"] == 4

    def test_a_checkpoint_that_is_gone(self, drawn: Catalogue, tmp_path: Path) -> None:
        run_fit(drawn, None, tmp_path / "run")
        kept = (tmp_path / "run" / "model.safetensors").read_bytes()
        (tmp_path / "run" / "checkpoint" / "last.pt").unlink()
        with pytest.raises(WhalereidError, match=r"last\.pt is gone, so this training \(3 of 3 epochs\)"):
            run_fit(drawn, None, tmp_path / "run", resume=True)
        assert (tmp_path / "run" / "model.safetensors").read_bytes() == kept


class TestNothingLeftToValidateOn:
    def damage(self, photos: Catalogue) -> None:
        for path in photos.paths:
            path.write_text("no photo")

    def test_it_is_said_before_the_first_step(self, drawn: Catalogue, tmp_path: Path) -> None:
        valid = draw_photos(tmp_path / "valid", n_identities=2, n_photos=4)
        self.damage(valid.filter(encounter=["e0-1", "e1-0"]))  # what is left of an animal is of one encounter
        with pytest.raises(WhalereidError, match=r"no validation query is left .* 4 photos were left out") as refused:
            run_fit(drawn, valid, tmp_path / "run", on_error="skip", parts=parts(1, lambda: pytest.fail("a step")))
        assert "whalereid check" in str(refused.value)
        assert not (tmp_path / "run").exists()

    def test_photos_that_vanish_later_cost_no_epoch(self, drawn: Catalogue, tmp_path: Path) -> None:
        valid = draw_photos(tmp_path / "valid", n_identities=2, n_photos=4)
        lost = valid.filter(encounter=["e0-1", "e1-0"])
        whole = {path: path.read_bytes() for path in lost.paths}
        options: dict[str, Any] = {"on_error": "skip"}
        with pytest.raises(WhalereidError, match=r"no validation query is left.*keeps the 1 of 3 epochs.*--resume"):
            run_fit(drawn, valid, tmp_path / "run", parts=parts(4, lambda: self.damage(lost)), **options)
        for path, data in whole.items():
            path.write_bytes(data)
        run = run_fit(drawn, valid, tmp_path / "run", resume=True, **options)
        assert run.history["valid_mAP@20"].notna().all()

    def test_no_photo_of_a_known_animal(self, drawn: Catalogue, tmp_path: Path) -> None:
        valid = draw_photos(tmp_path / "valid", n_identities=2, n_photos=4)
        strangers = valid.column("identity").replace("animal1", "stranger")
        valid = valid.assign(identity=strangers)
        self.damage(valid.filter(identity="animal0"))
        with pytest.raises(WhalereidError, match="no validation photo of a known class is left"):
            run_fit(drawn, valid, tmp_path / "run", on_error="skip", recipe=QUICK.but(select_by="loss"))
        assert not (tmp_path / "run").exists()


class TestScoresThatAreNoNumbers:
    def scripted(self, monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
        given = iter(losses)
        monkeypatch.setattr(Validation, "measure", lambda *_, **__: ValidationScores(next(given), 0.5, 0.5))

    @pytest.mark.parametrize(
        ("losses", "best"), [([9, NAN, 5, 7], 2), ([9, 5, NAN, 7], 1), ([9, NAN, NAN, NAN], 1), ([9, NAN, NAN, 3], 3)]
    )
    def test_any_number_is_better(
        self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: list[float], best: int
    ) -> None:
        self.scripted(monkeypatch, losses)
        run = run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(select_by="loss"))
        assert run.best_epoch == best

    def test_before_the_first_step_it_is_refused(
        self, drawn: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.scripted(monkeypatch, [NAN])
        with pytest.raises(WhalereidError, match=r"validation loss is nan before training.*select_by='mAP'"):
            run_fit(drawn, drawn, tmp_path / "run", recipe=QUICK.but(select_by="loss"))
        assert not (tmp_path / "run").exists()
