"""Files from outside that are broken, hostile or of another kind: one error that names them, nothing raw."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from training.drawing import draw_photos, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.embeddings.parquet import read_marker
from whalereid.errors import WhalereidError, WhalereidWarning, printable
from whalereid.evaluation import Protocol, ScoreCalibration
from whalereid.models import Embedder, load_weights
from whalereid.models.config import read_config
from whalereid.models.weights import read_trained_on
from whalereid.ranking import Ranking, Task, read_database, read_queries, read_tasks, task_path, write_tasks
from whalereid.reading import MAX_FILE_GB
from whalereid.training import Recipe
from whalereid.training.checkpoint import check_checkpoint
from whalereid.training.folder import read_checkpoint, refuse_folder
from whalereid.training.optimizer import make_optimizer
from whalereid.training.run import HISTORY

QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
DEEP = "[" * 200_000
HOSTILE = "wh\x1b[2Jale\x9b31m\u202egnp.\x07\x7f"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos, a short training, embeddings, a ranking with its task, a protocol, a calibration; read only."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("made")
    photos = draw_photos(folder / "photos", 4, 4)
    net, head = make_parts(4)
    recipe = Recipe(epochs=1, batch_size=8, transform="plain")
    fit_quietly(net, head, photos, photos, recipe=recipe, out=folder / "run")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(photos), 4))
    trained_on = net.trained_on
    assert trained_on is not None
    Embeddings.from_numpy(photos.image_ids, vectors, {"trained_on": trained_on.to_dict()}).write(folder / "e.parquet")
    ids = photos.image_ids.tolist()
    Ranking([[i for i in ids if i != q][:3] for q in ids], [[0.9, 0.8, 0.7]] * len(ids), ids).write(folder / "r.csv")
    write_tasks([Task("all", tuple(ids), tuple(ids), tuple(ids))], folder / "r.csv", trained_on=trained_on)
    Protocol.from_catalogue(photos, exclude=["encounter"]).write(folder / "protocol")
    for method in ("logistic", "isotonic"):
        ScoreCalibration(method).fit(rng.normal(size=50), rng.random(50) < 0.5).write(folder / f"{method}.json")
    return folder


# What reads each document: JSON of its own, or JSON that stands in another file.
def _config(folder: Path, text: str) -> Any:
    (folder / "config.json").write_text(text)
    return read_config(folder)


def _run(folder: Path, text: str) -> Any:
    (folder / "run.json").write_text(text)
    return refuse_folder(folder, resume=False)


def _task(folder: Path, text: str) -> Any:
    (folder / "r.csv").write_text("query_id,database_image_id,score\na,b,1\n")
    task_path(folder / "r.csv").write_text(text)
    try:
        read_tasks(folder / "r.csv")
    finally:
        Ranking.read(folder / "r.csv")


def _marker(folder: Path, text: str) -> Any:
    (folder / "embeddings.json").write_text(text)
    return read_marker(folder)


def _rules(folder: Path, text: str) -> Any:
    (folder / "query_scenarios.csv").write_text("scenario_id,queries_path,database_path\nall,q.csv,d.csv\n")
    (folder / "q.csv").write_text("query_id,query_image_id\na,a\n")
    (folder / "d.csv").write_text("database_image_id\nb\n")
    (folder / "labels.csv").write_text("query_id,database_image_id\na,b\n")
    (folder / "protocol.json").write_text(text)
    return Protocol.read(folder)


def _calibration(folder: Path, text: str) -> Any:
    (folder / "c.json").write_text(text)
    return ScoreCalibration.read(folder / "c.json").predict([0.5])


def _provenance(folder: Path, text: str) -> Any:
    table = pa.table({"image_id": ["a"], "embedding": pa.array([[1.0]], pa.list_(pa.float32(), 1))})
    pq.write_table(table.replace_schema_metadata({b"whalereid": text.encode()}), folder / "e.parquet")
    held = Embeddings.read(folder / "e.parquet")
    return held.trained_on


def _note(folder: Path, text: str) -> Any:
    save_file({"a": torch.zeros(1)}, folder / "w.safetensors", {"whalereid-trained-on": text})
    return read_trained_on(folder / "w.safetensors")


def _coco(folder: Path, text: str) -> Any:
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    (folder / "annotations/instances_train2022.json").write_text(text)
    return Catalogue.read(folder, "coco")


def _coco_file(folder: Path, text: str) -> Any:
    (folder / "labels.json").write_text(text)
    return Catalogue.read(folder / "labels.json", "coco")


def _megadetector(folder: Path, text: str) -> Any:
    (folder / "md.json").write_text(text)
    return Catalogue.read(folder / "md.json", "megadetector")


def _camtrap_dp(folder: Path, text: str) -> Any:
    (folder / "datapackage.json").write_text(text)
    (folder / "deployments.csv").write_text("deploymentID\nd1\n")
    (folder / "media.csv").write_text("mediaID,deploymentID,filePath,timestamp\nm1,d1,a.jpg,2020-01-01T00:00:00Z\n")
    (folder / "observations.csv").write_text("observationID,deploymentID,observationType,mediaID\no1,d1,animal,m1\n")
    return Catalogue.read(folder, "camtrap-dp")


COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 4, "date_captured": "2017-08-07"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "viewpoint": "top", "whale_id": "w1"}
    ],
    "categories": [{"id": 1, "name": "beluga"}],
}
COCO_FILE = {
    "images": [{"id": 1, "file_name": "a.jpg", "seq_id": "s", "latitude": 5.5}],
    "annotations": [
        {"id": 1, "image_id": 1, "individual_id": "w1", "segmentation": [[0, 0, 2, 2, 1, 3]], "attributes": {"age": 3}},
        {"id": 2, "image_id": 1, "segmentation": {"size": [2, 2], "counts": [1, 3]}, "iscrowd": 0},
    ],
}
MEGADETECTOR = {
    "detection_categories": {"1": "animal"},
    "classification_categories": {"0": "fox"},
    "images": [
        {
            "file": "a.jpg",
            "width": 64,
            "height": 48,
            "failure": None,
            "detections": [
                {"category": "1", "conf": 0.9, "bbox": [0, 0.25, 0.5, 0.5], "classifications": [["0", 0.9]]}
            ],
        }
    ],
}
PACKAGE = {
    "resources": [{"name": name, "path": f"{name}.csv"} for name in ("deployments", "media", "observations")],
    "created": "2020-01-01",
}
READERS: dict[str, tuple[Callable[[Path, str], Any], Callable[[Path], Any]]] = {
    "config": (_config, lambda made: json.loads((made / "run/config.json").read_text())),
    "run": (_run, lambda made: json.loads((made / "run/run.json").read_text())),
    "task": (_task, lambda made: json.loads((task_path(made / "r.csv")).read_text())),
    "marker": (_marker, lambda made: {"complete": True, "provenance": {"flip": True}}),
    "rules": (_rules, lambda made: json.loads((made / "protocol/protocol.json").read_text())),
    "logistic": (_calibration, lambda made: json.loads((made / "logistic.json").read_text())),
    "isotonic": (_calibration, lambda made: json.loads((made / "isotonic.json").read_text())),
    "provenance": (_provenance, lambda made: dict(Embeddings.read_header(made / "e.parquet").provenance)),
    "several": (
        _provenance,
        lambda made: {"concatenated": [dict(Embeddings.read_header(made / "e.parquet").provenance)]},
    ),
    "note": (_note, lambda made: Embeddings.read_header(made / "e.parquet").provenance["trained_on"]),
    "coco": (_coco, lambda made: COCO),
    "coco-file": (_coco_file, lambda made: COCO_FILE),
    "megadetector": (_megadetector, lambda made: MEGADETECTOR),
    "camtrap-dp": (_camtrap_dp, lambda made: PACKAGE),
}


def named(error: BaseException, folder: Path) -> bool:
    return str(folder) in str(error) and "\n" not in str(error)


def refusal(read: Callable[[], Any]) -> WhalereidError | None:
    try:
        read()
    except WhalereidError as error:
        return error
    return None


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "text",
    [
        DEEP,
        '{"a":' * 200_000,
        '{"trained_on": ' + "[" * 900 + "]" * 900 + "}",
        '{"concatenated": ' * 90 + "[]" + "}" * 90,
        "[]",
        "null",
        "7",
        "",
        "{",
        '{"a": "\\ud800"}',
        '{"a": 1' + "0" * 9000 + "}",
    ],
    ids=["deep", "deep objects", "900", "90", "list", "null", "number", "empty", "cut", "surrogate", "digits"],
)
def test_json_of_another_shape_is_refused_by_name(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError) as caught:
        READERS[name][0](tmp_path, text)
    assert named(caught.value, tmp_path)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([10**400, -1, 2**63, 1e300, float("nan"), float("inf"), "", "x", "7", HOSTILE, "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document, outermost first."""
    yield path
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield from places(document[key], (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any, drop: bool) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


@pytest.mark.parametrize("name", READERS)
@QUICK
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_refused(
    name: str, made: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    read, valid = READERS[name]
    document = valid(made)
    path = data.draw(st.sampled_from(list(places(document))))
    other = changed(document, path, data.draw(ANY), data.draw(st.booleans()))
    folder = tmp_path_factory.mktemp("m")
    said = refusal(lambda: read(folder, json.dumps(other)))
    assert said is None or named(said, folder), said


@QUICK
@given(data=st.data())
def test_a_changed_configuration_makes_a_network_or_is_refused(
    made: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    document = json.loads((made / "run/config.json").read_text())
    key = data.draw(st.sampled_from(sorted(document)))
    folder = tmp_path_factory.mktemp("m")
    (folder / "config.json").write_text(json.dumps(document | {key: data.draw(ANY)}))
    (folder / "model.safetensors").write_bytes((made / "run/model.safetensors").read_bytes())
    said = refusal(lambda: Embedder.load(folder))
    assert said is None or named(said, folder), said


def test_a_configuration_names_the_key(made: Path, tmp_path: Path) -> None:
    document = json.loads((made / "run/config.json").read_text())
    with pytest.raises(WhalereidError, match=r"config\.json: 'backbone' is \[\]; it is text"):
        _config(tmp_path, json.dumps(document | {"backbone": []}))


# Checkpoints.
def spoilt(path: tuple[Any, ...], value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: changed(state, path, value, value is KeyError)


CHECKPOINTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "nothing": (lambda state: None, "not a checkpoint"),
    "a list": (lambda state: [1], "holds a list"),
    "a tensor": (lambda state: torch.zeros(3), "holds a Tensor"),
    **{
        f"no {part}": (spoilt((part,), KeyError), f"lacks its {part}")
        for part in ("net", "head", "optimizer", "scaler", "records", "best", "untrained")
    },
    **{
        f"{part} {value!r}": (spoilt((part,), value), f"its {part.rstrip('s')}")
        for part in ("net", "head", "optimizer", "records", "best", "untrained")
        for value in (None, 7, "x", [], [None], {"a": 1})
    },
    "a scaler of text": (spoilt(("scaler",), "x"), "its scaler"),
    "a scaler of nothing": (spoilt(("scaler",), {"scale": float("nan")}), "its scaler"),
    "the net is narrow": (spoilt(("net", "neck.bn.weight"), torch.zeros(3)), "its net"),
    "the net is NaN": (lambda s: {**s, "net": {k: v * float("nan") for k, v in s["net"].items()}}, "its net.*NaN"),
    "the net is whole": (lambda s: {**s, "net": {k: v.int() for k, v in s["net"].items()}}, "its net.*int32"),
    "the net is sparse": (
        lambda s: {**s, "net": {k: v.to_sparse() if v.ndim else v for k, v in s["net"].items()}},
        "its net.*sparse",
    ),
    "the net lacks one": (lambda s: {**s, "net": dict(list(s["net"].items())[1:])}, "its net: lacks"),
    "the head is wide": (lambda s: {**s, "head": {k: torch.zeros(9, 9) for k in s["head"]}}, "its head"),
    "no state": (spoilt(("optimizer", "state"), {}), "its optimizer"),
    "no means": (spoilt(("optimizer", "state", 0), {}), "optimizer's step of parameter 0 is missing"),
    "another mean": (spoilt(("optimizer", "state", 0, "exp_avg"), torch.zeros(2)), "exp_avg of parameter 0"),
    "text as mean": (spoilt(("optimizer", "state", 0, "exp_avg"), "x"), "exp_avg of parameter 0"),
    "another number": (spoilt(("optimizer", "state", 10**6), {}), "its optimizer"),
    "no groups": (spoilt(("optimizer", "param_groups"), []), "its optimizer"),
    "a rate of text": (spoilt(("optimizer", "param_groups", 0, "lr"), "x"), "learning rate"),
    "another decay": (spoilt(("optimizer", "param_groups", 0, "weight_decay"), 7.0), "weight_decay"),
    "no parameters": (spoilt(("optimizer", "param_groups", 0, "params"), []), "params"),
    "a record short": (spoilt(("records", 0, "epoch"), KeyError), "record of epoch 1"),
    "a record of text": (spoilt(("records", 0, "train_loss"), "x"), "wrong train_loss"),
    "a record too many": (lambda s: {**s, "records": s["records"] * 9}, "its records"),
    "a best of none": (spoilt(("best",), (9, 0.5)), "its best"),
    "a best of NaN": (spoilt(("best",), (1, float("nan"))), "its best"),
    "untrained text": (spoilt(("untrained", "mAP@20"), "x"), "its untrained"),
}


@pytest.fixture(scope="module")
def checkpoint(made: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A good one, and what it is to be loaded into."""
    net, head = make_parts(4)
    recipe = Recipe(epochs=1, batch_size=8, transform="plain")
    parts: dict[str, Any] = {"net": net, "head": head, "optimizer": make_optimizer(net, head, recipe)}
    return read_checkpoint(made / "run"), parts | {"columns": HISTORY, "epochs": 1, "validated": True}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_that_is_not_whole_is_refused_by_part(
    name: str, checkpoint: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    (state, parts), (spoil, words) = checkpoint, CHECKPOINTS[name]
    check_checkpoint(state, "last.pt", **parts)
    with pytest.raises(WhalereidError, match=f"^last.pt: .*{words}"):
        check_checkpoint(spoil(state), "last.pt", **parts)


@pytest.mark.parametrize("name", ["nothing", "no scaler", "the head is wide"])
def test_a_refused_checkpoint_leaves_the_network_as_it_was(name: str, made: Path, tmp_path: Path) -> None:
    spoil, words = CHECKPOINTS[name]
    (tmp_path / "run/checkpoint").mkdir(parents=True)
    for file in (made / "run").glob("*.*"):
        (tmp_path / "run" / file.name).write_bytes(file.read_bytes())
    state = torch.load(made / "run/checkpoint/last.pt", weights_only=True)
    torch.save(spoil(state), tmp_path / "run/checkpoint/last.pt")
    photos = Catalogue.read(made / "photos/photos.csv")
    photos = Catalogue(photos.frame, photos.root, source="drawn")
    net, head = make_parts(4)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    recipe = Recipe(epochs=1, batch_size=8, transform="plain")
    with pytest.raises(WhalereidError, match=words) as caught:
        fit_quietly(net, head, photos, photos, out=tmp_path / "run", recipe=recipe, resume=True)
    assert "checkpoint/last.pt" in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


# Weights.
def kinds() -> dict[str, tuple[Callable[[], torch.Tensor], str]]:
    ones = torch.ones(2, 2)
    return {
        "fp8": (lambda: ones.to(torch.float8_e4m3fn), "float8_e4m3fn"),
        "fp8 wide": (lambda: ones.to(torch.float8_e5m2), "float8_e5m2"),
        "int": (lambda: ones.int(), "int32"),
        "byte": (lambda: ones.byte(), "uint8"),
        "bool": (lambda: ones.bool(), "bool"),
        "complex": (lambda: ones.to(torch.complex64), "complex64"),
        "sparse": (lambda: ones.to_sparse(), "sparse"),
        "csr": (lambda: ones.to_sparse_csr(), "sparse"),
        "meta": (lambda: ones.to("meta"), "meta"),
        "quantised": (lambda: torch.quantize_per_tensor(ones, 0.1, 0, torch.quint8), "quantised"),
        "beyond": (lambda: torch.full((2, 2), 1e300, dtype=torch.float64), "beyond float32"),
        "NaN": (lambda: ones * float("nan"), "NaN"),
    }


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("suffix", [None, ".pth", ".safetensors"])
def test_weights_of_another_kind_are_refused_by_name(kind: str, suffix: str | None, tmp_path: Path) -> None:
    make, words = kinds()[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, about sparse and quantised tensors
        state = {"weight": make()}
        source: Any = state if suffix is None else tmp_path / f"w{suffix}"
        if suffix == ".pth":
            torch.save(state, source)
        elif suffix == ".safetensors":
            if kind in ("sparse", "csr", "meta", "quantised"):
                pytest.skip("no such file can be made")
            save_file(state, source)
    layer = nn.Linear(2, 2, bias=False)
    before = layer.weight.detach().clone()
    with pytest.raises(WhalereidError, match=words) as caught:
        load_weights(layer, source)
    # The safe reader of pickles refuses some kinds itself.
    assert "weight" in str(caught.value)
    assert torch.equal(layer.weight, before)


@pytest.fixture(scope="module")
def net() -> Embedder:
    return Embedder("resnet10t", image_size=32, weights="random").eval()


PHOTOS = torch.zeros(2, 3, 32, 32)
NO_PHOTOS = {
    "a mapping": {},
    "a batch of a data set": {"image": PHOTOS},
    "a list": [PHOTOS[0], PHOTOS[1]],
    "an array": PHOTOS.numpy(),
    "nothing": None,
    "a path": "photo.jpg",
    "one photo": PHOTOS[0],
    "five dimensions": PHOTOS[None],
    "a number": torch.zeros(()),
    "whole numbers": PHOTOS.to(torch.uint8),
    "64-bit whole numbers": PHOTOS.long(),
    "truth values": PHOTOS.bool(),
    "double precision": PHOTOS.double(),
    "complex numbers": PHOTOS.to(torch.complex64),
    "channels last": PHOTOS.permute(0, 2, 3, 1),
    "one channel": PHOTOS[:, :1],
    "an alpha channel": torch.zeros(2, 4, 32, 32),
}


@pytest.mark.parametrize("name", NO_PHOTOS)
def test_what_is_no_batch_of_photos_is_refused(name: str, net: Embedder) -> None:
    with pytest.raises(
        WhalereidError, match=r"images is a .*; give photos as a \(B, 3, H, W\) tensor of float32"
    ) as no:
        net(NO_PHOTOS[name])
    assert "\n" not in str(no.value)


def test_a_network_that_checks_its_photos_is_traced_and_exported(net: Embedder) -> None:
    expected = net(PHOTOS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(net, PHOTOS)
        exported = torch.export.export(
            net, (PHOTOS,), dynamic_shapes={"images": {0: torch.export.Dim("photos", max=64)}}
        )
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    for other in (traced, exported.module(), compiled):
        torch.testing.assert_close(other(PHOTOS), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened_and_said(dtype: torch.dtype) -> None:
    layer = nn.Linear(2, 2, bias=False)
    with pytest.warns(WhalereidWarning, match=r"the weights: holds b?float16, now widened"):
        load_weights(layer, {"weight": torch.ones(2, 2, dtype=dtype)})
    assert layer.weight.dtype == torch.float32


def test_whole_numbers_stay_whole() -> None:
    layer = nn.BatchNorm1d(2)
    held = layer.state_dict()
    load_weights(layer, held | {"num_batches_tracked": torch.tensor(3, dtype=torch.int32)})
    with pytest.raises(WhalereidError, match="num_batches_tracked' holds float32"):
        load_weights(layer, held | {"num_batches_tracked": torch.tensor(3.0)})


# Tables.
FLOATS = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))
TEXT = pa.array(["a", "b"])
VECTORS: dict[str, tuple[pa.Table, str]] = {
    "ids of floats": (pa.table({"image_id": [1e300, 1.0], "embedding": FLOATS}), "image_id holds double"),
    "ids of dates": (pa.table({"image_id": pa.array([0, 1], pa.date32()), "embedding": FLOATS}), "image_id holds date"),
    "ids of times": (pa.table({"image_id": pa.array([0, 1], pa.timestamp("s")), "embedding": FLOATS}), "timestamp"),
    "ids of bools": (pa.table({"image_id": [True, False], "embedding": FLOATS}), "image_id holds bool"),
    "ids of bytes": (pa.table({"image_id": [b"a", b"b"], "embedding": FLOATS}), "image_id holds binary"),
    "ids of lists": (pa.table({"image_id": [["a"], ["b"]], "embedding": FLOATS}), "image_id holds list"),
    "ids of structs": (pa.table({"image_id": [{"a": 1}] * 2, "embedding": FLOATS}), "image_id holds struct"),
    "ids of nothing": (pa.table({"image_id": pa.nulls(2), "embedding": FLOATS}), "image_id holds null"),
    "ids missing": (pa.table({"image_id": ["a", None], "embedding": FLOATS}), "1 rows have no image_id"),
    "vectors of text": (pa.table({"image_id": TEXT, "embedding": [["x"], ["y"]]}), "embedding holds list"),
    "vectors of dates": (
        pa.table({"image_id": TEXT, "embedding": pa.array([[1], [2]], pa.list_(pa.date32()))}),
        "embedding holds list<.*date32",
    ),
    "vectors of bools": (pa.table({"image_id": TEXT, "embedding": [[True], [False]]}), "embedding holds list"),
    "no vectors": (pa.table({"image_id": TEXT, "embedding": [1.0, 2.0]}), "embedding holds double"),
    "width 0": (pa.table({"image_id": TEXT, "embedding": pa.array([[], []], pa.list_(pa.float32()))}), "0 wide"),
    "fixed width 0": (
        pa.table({"image_id": TEXT, "embedding": pa.array([[], []], pa.list_(pa.float32(), 0))}),
        "0 wide",
    ),
    "widths differ": (pa.table({"image_id": TEXT, "embedding": [[1.0], [1.0, 2.0]]}), "differ in width"),
    "infinite": (pa.table({"image_id": TEXT, "embedding": [[1.0], [float("inf")]]}), "infinity"),
    "beyond": (pa.table({"image_id": TEXT, "embedding": [[1.0], [1e300]]}), "beyond float32"),
    "twice": (pa.Table.from_arrays([TEXT, TEXT, FLOATS], ["image_id", "image_id", "embedding"]), "two columns"),
    "repeated": (pa.table({"image_id": ["a", "a"], "embedding": FLOATS}), "repeated"),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_another_kind_are_refused_by_name(name: str, tmp_path: Path) -> None:
    table, words = VECTORS[name]
    path = tmp_path / "e.parquet"
    pq.write_table(table, path)
    with pytest.raises(WhalereidError, match=words) as caught:
        Embeddings.read(path)
    assert named(caught.value, tmp_path)


def test_ids_in_other_encodings_are_text(tmp_path: Path) -> None:
    for number, ids in enumerate((TEXT.dictionary_encode(), TEXT.cast(pa.large_string()), pa.array([7, 8]))):
        pq.write_table(pa.table({"image_id": ids, "embedding": FLOATS}), tmp_path / f"{number}.parquet")
        assert all(type(i) is str for i in Embeddings.read(tmp_path / f"{number}.parquet").ids)


@pytest.mark.parametrize(
    "scores",
    [
        pd.to_datetime(["2020-01-01", "2020-01-02"]),
        pd.to_timedelta([2, 1], "s"),
        [True, False],
        ["x", "y"],
        [[1.0], [2.0]],
        [1j, 2j],
        [None, 1.0],
        pd.Categorical(["b", "a"]),
    ],
    ids=["times", "spans", "bools", "text", "lists", "complex", "missing", "categories"],
)
def test_scores_that_are_no_numbers_are_refused(scores: Any) -> None:
    frame = pd.DataFrame({"query_id": ["q", "q"], "database_image_id": ["a", "b"], "score": scores})
    with pytest.raises(WhalereidError, match=r"score"):
        Ranking.from_frame(frame)


@pytest.mark.parametrize("name", ["query_id", "database_image_id"])
@pytest.mark.parametrize("ids", [[1e300, 1.0], [["a"], ["b"]], [True, False], [b"a", b"b"], [{"a": 1}, {"a": 2}]])
def test_ids_of_a_ranking_are_text(name: str, ids: list[Any]) -> None:
    frame = pd.DataFrame({"query_id": ["q", "r"], "database_image_id": ["a", "b"], "score": [2.0, 1.0]})
    frame[name] = ids
    with pytest.raises(WhalereidError, match=f"row 1, column {name}: .* is no id"):
        Ranking.from_frame(frame)


@pytest.mark.parametrize("text", ["", "\n \n", "image_id\n"])
def test_an_empty_list_of_photos_is_refused(text: str, tmp_path: Path) -> None:
    for suffix in (".txt", ".csv"):
        path = tmp_path / f"q{suffix}"
        path.write_text(text if suffix == ".csv" or "image_id" not in text else "")
        for read in (read_queries, read_database):
            with pytest.raises(WhalereidError, match=re.escape(str(path))):
                read(path)


@pytest.mark.parametrize("layout", ["csv", "parquet"])
def test_many_columns_do_not_hang(layout: str, tmp_path: Path) -> None:
    def seconds(columns: int) -> float:
        names = ["image_id", "path", *(f"c{i}" for i in range(columns))]
        path = tmp_path / f"{columns}.{layout}"
        if layout == "csv":
            path.write_text(",".join(names) + "\n" + ",".join(["x"] * len(names)) + "\n")
        else:
            pq.write_table(pa.table([pa.array(["x"])] * len(names), names=names), path)
        began = time.process_time()
        assert len(Catalogue.read(path).columns) == len(names)
        return time.process_time() - began

    seconds(10)
    few, many = seconds(1_500), seconds(15_000)
    assert many < 40 * max(few, 0.05)  # by the square of the columns it is a hundred times as much


# Sizes, names, places.
def test_a_file_is_not_read_beyond_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge: dict[str, Callable[[Path], Any]] = {
        "t.csv": Catalogue.read,
        "t.parquet": Embeddings.read,
        "w.pth": lambda path: load_weights(nn.Linear(1, 1), path),
        "w.safetensors": lambda path: load_weights(nn.Linear(1, 1), path),
        "c.json": ScoreCalibration.read,
        "q.txt": read_queries,
        "q.csv": read_queries,
    }
    for name, read in huge.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(40 * 10**9)  # holes: no byte of it is on the disk
        with pytest.raises(WhalereidError, match=rf"{name}: takes 40.0 GB.*{MAX_FILE_GB}"):
            read(tmp_path / name)
    small = tmp_path / "small.csv"
    small.write_text("image_id,path\na,a.jpg\n")
    monkeypatch.setenv(MAX_FILE_GB, "1e-9")
    with pytest.raises(WhalereidError, match=r"small\.csv: takes"):
        Catalogue.read(small)
    monkeypatch.setenv(MAX_FILE_GB, "much")
    with pytest.raises(WhalereidError, match=f"{MAX_FILE_GB} is 'much'"):
        Catalogue.read(small)


def test_a_small_file_of_endless_repeats_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**6, np.int32)), ["x"])
    pq.write_table(pa.table({"image_id": same, "path": same}), tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 10**5
    monkeypatch.setenv(MAX_FILE_GB, "0.01")
    with pytest.raises(WhalereidError, match=r"t.parquet: takes 0.0 GB"):
        Catalogue.read(tmp_path / "t.parquet")


LONG = "x" * 300


@pytest.mark.parametrize(
    "line",
    [
        f"check --catalogue {LONG}.csv",
        f"check --catalogue {LONG}/a.csv",
        f"encounters --catalogue {LONG}.csv",
        f"encounters --catalogue photos.csv --out {LONG}.csv",
        f"split --catalogue {LONG}.csv",
        f"split --catalogue photos.csv --use {LONG}.csv",
        f"train --catalogue photos.csv --out run --weights {LONG}.pth",
        f"train --catalogue photos.csv --out run --weights random --valid {LONG}.csv",
        f"train --catalogue photos.csv --out run --weights random --folds {LONG}.csv --fold 0",
        f"embed --catalogue photos.csv --model {LONG} --out e",
        f"embed --catalogue {LONG}.csv --model run --out e",
        f"rank --embeddings {LONG}.parquet --catalogue photos.csv --out r.csv",
        f"rank --embeddings e.parquet --catalogue photos.csv --out r2.csv --queries {LONG}.txt",
        f"rank --embeddings e.parquet --catalogue photos.csv --out r2.csv --queries all --database {LONG}.csv",
        f"evaluate {LONG}.csv --catalogue photos.csv",
        f"evaluate r.csv --labels {LONG}.csv",
        f"evaluate r.csv --catalogue {LONG}.csv",
    ],
)
def test_a_name_beyond_the_file_system_is_one_line(
    line: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos.csv").symlink_to(made / "photos/photos.csv")
    for name in ("e.parquet", "r.csv", "run"):
        (tmp_path / name).symlink_to(made / name)
    assert run(line.split()) == 2
    said = capfd.readouterr().err.splitlines()
    assert said[-1].startswith("whalereid: ")
    assert "Traceback" not in "".join(said)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(27, "File too large", "big.bin"), "big.bin: can't be read or written (File too large)"),
        (PermissionError(13, "Permission denied", "shut"), "shut: can't be read or written (Permission denied)"),
        (OSError(24, "Too many open files"), "(Too many open files)"),
        (MemoryError(), "the memory of this machine is too small"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "isn't text that UTF-8 can hold"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("whalereid.catalogue.Catalogue.read", fails)
    monkeypatch.setattr(sys.modules["whalereid.cli.app"], "_give_up_stdout", lambda: None)
    assert run(["check", "--catalogue", "."]) == 2
    said = capsys.readouterr().err
    assert said.startswith("whalereid: ")
    assert words in said
    assert said.count("\n") == 1


def command(line: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        f"{sys.executable} -m whalereid {line}",
        shell=True,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_can_not_be_written_is_one_line(made: Path) -> None:
    done = command("check --no-photos photos/photos.csv > /dev/full", made)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left" in done.stderr


def test_a_terminal_that_is_not_utf_8_shows_escapes(made: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("image_id,path,identity\né,a.jpg,ñ\n", encoding="utf-8")
    done = command("check --no-photos p.csv", tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    done = command("check --no-photos --json p.csv", tmp_path, PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["source"] == "p.csv"


# What is printed.
@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose every name would drive a terminal."""
    folder = tmp_path_factory.mktemp("hostile")
    photos = draw_photos(folder, 4, 4)
    table = photos.frame
    table["image_id"] = [f"{name}{HOSTILE}" for name in table["image_id"]]
    for column in ("identity", "viewpoint", "encounter"):
        table[column] = [f"{value}{HOSTILE}" for value in table[column]]
    table[f"col{HOSTILE}"] = HOSTILE
    table["date"] = HOSTILE
    table.loc[0, "path"] = f"{HOSTILE}.jpg"
    table.to_csv(folder / f"t{HOSTILE}.csv", index=False)
    ids = table["image_id"].tolist()
    vectors = np.random.default_rng(0).normal(size=(len(ids), 4))
    Embeddings.from_numpy(ids, vectors).write(folder / f"e{HOSTILE}.parquet")
    return folder


def test_nothing_from_a_table_drives_the_terminal(
    hostile: Path, made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(hostile)
    table, vectors, column = f"t{HOSTILE}.csv", f"e{HOSTILE}.parquet", f"col{HOSTILE}"
    ranking = f"r{HOSTILE}.csv"
    rank = ["rank", "--embeddings", vectors, "--catalogue", table]
    score = ["evaluate", ranking, "--catalogue", table, "--resamples", "20"]
    lines = {
        0: [
            ["check", "--catalogue", table, "--no-photos"],
            ["check", "--catalogue", table],
            ["check", "--catalogue", table, "--json"],
            ["split", "--catalogue", table, "--out", f"f{HOSTILE}.csv"],
            ["split", "--catalogue", table, "--json", "--photos"],
            [*rank, "--out", ranking, "--match", "viewpoint", "--match", column],
            [*score, "--by", "viewpoint", "--by", column, "--by", "viewpoint-pair"],
            [*score, "--by", column, "--json"],
            ["evaluate", ranking, ranking, "--catalogue", table, "--resamples", "20"],
        ],
        2: [
            ["check", "--catalogue", HOSTILE],
            ["check", "--catalogue", table, f"--{HOSTILE}"],
            ["check", "--catalogue", table, "--layout", HOSTILE],
            [HOSTILE],
            ["split", "--catalogue", table, "--by", HOSTILE],
            ["split", "--catalogue", table, "--folds", HOSTILE],
            ["train", "--catalogue", table, "--out", HOSTILE, "--backbone", HOSTILE, "--weights", "random"],
            ["train", "--catalogue", table, "--out", "x", "--weights", HOSTILE],
            ["train", "--catalogue", table, "--out", "x", "--recipe", HOSTILE],
            ["embed", "--catalogue", table, "--model", HOSTILE, "--out", "x"],
            ["embed", "--catalogue", table, "--model", str(made / "run"), "--out", f"v{HOSTILE}.parquet"],
            [*rank, "--out", "r.csv", "--exclude", HOSTILE],
            [*rank, "--out", "r.csv", "--rerank", HOSTILE],
            [*score, "--by", HOSTILE],
        ],
    }
    for status, some in lines.items():
        for line in some:
            found = run(line)
            said = capfd.readouterr()
            assert found == status, (line, said)
            for text in (said.out, said.err):
                assert all(sign.isprintable() or sign == "\n" for sign in text), (line, text)
            assert status == 0 or said.err.splitlines()[-1].startswith("whalereid: "), (line, said)
            if "--json" in line:
                assert HOSTILE in json.dumps(json.loads(said.out), ensure_ascii=False) or json.loads(said.out)


@given(text=st.text())
@QUICK
def test_printable_drives_no_terminal(text: str) -> None:
    assert printable(text).isprintable()


def test_warnings_of_libraries_stay_silent_and_ours_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def warns(*_: object, **__: object) -> None:
        np.float32(1e38) * np.float32(1e38)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
        warnings.warn("to be known", WhalereidWarning, stacklevel=1)
        raise WhalereidError("refused")

    monkeypatch.setattr("whalereid.catalogue.Catalogue.read", warns)
    assert run(["check", "--catalogue", "."]) == 2
    assert capfd.readouterr().err == "Warning: to be known\nwhalereid: refused\n"
