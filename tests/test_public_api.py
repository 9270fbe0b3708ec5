"""The public story: names, laziness, docstrings that match signatures."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import whalereid as wr


def in_fresh_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    loaded = in_fresh_python("import sys, whalereid; print(*sorted(sys.modules))").split()
    assert not {"torch", "pandas", "numpy", "cv2", "timm"} & set(loaded)


COMMANDS = [
    "start",
    "import",
    "check",
    "encounters",
    "split",
    "models",
    "train",
    "embed",
    "rank",
    "evaluate",
    "report",
    "export",
]
HEAVY = {"torch", "timm", "pandas", "numpy", "cv2", "sklearn", "scipy", "pyarrow", "albumentations"}


def test_help_loads_nothing_heavy() -> None:
    for command in ([], *([name] for name in COMMANDS)):
        code = f"import sys; from whalereid.cli.app import run; run({[*command, '--help']}); print('#', *sys.modules)"
        told, _, loaded = in_fresh_python(code).rpartition("#")
        assert "Usage" in told
        assert not HEAVY & set(loaded.split()), command


@pytest.mark.parametrize("module", ["whalereid", "whalereid.cli"])
def test_the_command_runs_as_a_module(module: str) -> None:
    for words, status, says in (
        (["--help"], 0, "evaluate"),
        (["check", "--catalogue", "absent"], 2, "whalereid: absent"),
    ):
        done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert says in done.stdout + done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "from whalereid.models import read_config, look_at, look_for_weights",
        "from whalereid.models import read_source; read_source('lite0').look()",
        "import whalereid.images, whalereid.embeddings, whalereid.models",
        "import whalereid as wr; wr.Catalogue, wr.Embeddings, wr.Ensemble, wr.evaluate, wr.IdentityFolds",
        "import whalereid as wr; wr.read_photo, wr.raw_pixels",
    ],
)
def test_what_needs_no_network_loads_no_torch(code: str) -> None:
    loaded = in_fresh_python(f"import sys; {code}; print(*sys.modules)").split()
    assert not {"torch", "timm", "albumentations"} & set(loaded)


def test_every_public_name_is_there_and_listed() -> None:
    for name in wr.__all__:
        assert getattr(wr, name) is not None
    assert set(wr.__all__) <= set(dir(wr))
    with pytest.raises(AttributeError, match="no attribute 'Nessie'"):
        _ = wr.Nessie


PUBLIC = [name for name in wr.__all__ if not name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_name_every_argument(name: str) -> None:
    thing = getattr(wr, name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        pytest.skip("a table of names")
    if inspect.isclass(thing) and issubclass(thing, Exception):
        pytest.skip("takes a message")
    doc = inspect.getdoc(thing) or ""
    assert doc, f"{name} has no docstring"
    documented = set(re.findall(r"^\s*([\w*]+(?:, [\w*]+)*)(?: : .*)?$", doc, re.MULTILINE))
    names = {word.strip(" *") for group in documented for word in group.split(",")}
    missing = [
        p.name
        for p in inspect.signature(thing).parameters.values()
        if p.name not in names and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    assert not missing, f"{name} documents no {missing}"


WRONG: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "7": lambda: 7,
    "-1": lambda: -1,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "True": lambda: True,
    "'x'": lambda: "x",
    "''": lambda: "",
    "b'x'": lambda: b"x",
    "[]": lambda: [],
    "[7]": lambda: [7],
    "{}": lambda: {},
    "object": lambda: object(),
    "DataFrame": lambda: pd.DataFrame({"a": [1, 2]}),
    "nn.Module": lambda: _module(),
    "array": lambda: np.arange(6.0).reshape(2, 3),
    "int": lambda: int,
}


def _module() -> Any:
    from torch import nn

    return nn.Linear(2, 2)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Arguments of each public function and class that do."""
    from tests.training.drawing import draw_photos, make_parts

    folder = tmp_path_factory.mktemp("usual")
    numbers = count()

    def new(suffix: str = "") -> Path:
        return folder / f"out{next(numbers)}{suffix}"

    photos = draw_photos(folder / "drawn", n_identities=4, n_photos=4)
    photos.write(folder / "table.csv")
    folds = wr.fold_table(wr.IdentityFolds(2), photos)
    wr.write_folds(folds, folder / "folds.csv")
    net, _ = make_parts(4)
    net.mark_trained()
    vectors = wr.embed(net, photos, extraction=wr.Extraction(workers=0), progress=False)
    member = wr.Member("one", vectors)
    ensemble = wr.Ensemble([member])
    ranking = ensemble.rank(photos, photos, k=3)
    protocol = wr.Protocol.from_catalogue(photos)
    report = wr.evaluate(protocol, ranking, bootstrap=wr.Bootstrap(resamples=0))
    ids = tuple(photos.image_ids)
    transform = wr.evaluation_transform(32)
    labels = {query: {query} for query in ids}
    arguments: dict[str, Callable[[], dict[str, Any]]] = {
        "CandidateRules": lambda: {"exclude": ["encounter"], "match": "viewpoint", "rules": ["differ:column=date"]},
        "Catalogue": lambda: {
            "frame": photos.frame, "root": photos.root, "scenarios": (), "source": "here", "notes": (),
        },
        "TrainedOn": lambda: {name: np.zeros(0, np.uint64) for name in inspect.signature(wr.TrainedOn).parameters},
        "audit": lambda: {"catalogue": photos, "photos": True, "workers": 1, "progress": False},
        "export": lambda: {"catalogue": photos, "path": new(".json"), "to": "coco:identity=name", "force": False},
        **{name: lambda: {"n_splits": 2, "seed": 0} for name in ("PhotoFolds", "EncounterFolds", "IdentityFolds")},
        "DateSplit": lambda: {"date": None, "test_share": 0.5},
        "OpenSetSplit": lambda: {"unseen": 0.5, "test_share": 0.5, "seed": 0},
        "ViewpointSplit": lambda: {"query": "top", "database": ["left"]},
        "PredefinedFolds": lambda: {"table": folds},
        "leakage": lambda: {"train": photos[:8], "test": photos[8:], "photos": True, "progress": False},
        "leakage_over_folds": lambda: {
            "catalogue": photos, "splitter": wr.IdentityFolds(2), "photos": False, "progress": False,
        },
        "fold_table": lambda: {"splitter": wr.IdentityFolds(2), "catalogue": photos},
        "read_folds": lambda: {"path": folder / "folds.csv", "catalogue": photos},
        "write_folds": lambda: {"table": folds, "path": new(".csv"), "force": False},
        "read_photo": lambda: {
            "path": photos.paths[0], "bbox": (0, 0, 20, 20), "portrait": False, "mask": [[0, 0, 20, 0, 20, 20]],
            "crop": wr.Crop(background="blur"),
        },
        "Crop": lambda: {"pad": 0.1, "background": "blur"},
        "PhotoDataset": lambda: {
            "catalogue": photos, "transform": transform, "identities": photos.identities, "labels_from": "identity",
            "portrait": False, "on_error": "raise", "seed": 0,
        },
        "CrossViewPairs": lambda: {
            "catalogue": photos, "transform": transform, "anchor": "top", "partner": ["left"],
            "identities": photos.identities, "portrait": False, "on_error": "raise", "seed": 0,
        },
        "evaluation_transform": lambda: {
            "image_size": 32, "mean": (0.5,) * 3, "std": (0.5,) * 3, "antialias": True, "framing": None,
        },
        "Embedder": lambda: {
            "backbone": "test_resnet", "pooling": "gem:p=4", "neck": "bn-linear:dim=8,activation=relu",
            "image_size": 224, "portrait": False, "antialias": True, "preprocessing": wr.Preprocessing((32, 32)),
            "weights": "random",
        },
        "Preprocessing": lambda: {
            "image_size": (32, 32), "mean": (0.5,) * 3, "std": (0.5,) * 3, "portrait": False, "antialias": True,
            "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
        },
        "load_weights": lambda: {
            "module": _module(), "source": _module().state_dict(), "rename": {"old.": ""}, "ignore": ["gone."],
        },
        "ElasticArcFace": lambda: {
            "dim": 8, "n_identities": 4, "scale": 30.0, "margin": 0.5, "std": 0.0, "class_sizes": [3, 1, 2, 9],
            "generator": None,
        },
        "SubCenterArcFace": lambda: {
            "dim": 8, "n_identities": 4, "scale": 21.0, "margin": [0.5, 0.1, 0.0], "std": 0.0, "sub_centers": 2,
            "class_sizes": [3, 1, 2, 9], "generator": None,
        },
        "class_size_margins": lambda: {"class_sizes": [3, 1], "most": 0.5, "power": 0.125, "least": 0.05},
        "Recipe": lambda: wr.Recipe().to_dict() | {"schedule": wr.WarmupCosine()},
        "WarmupCosine": lambda: {"warmup": 0.1, "start": 0.01, "floor": 0.01},
        "RampThenDecay": lambda: {"ramp": 5, "start": 0.01, "floor": 0.01, "decay": 0.8, "steps_per_epoch": 1},
        "fit": lambda: dict(
            zip(("net", "head"), make_parts(4), strict=True), train=photos, valid=photos, out=new(),
            recipe=wr.Recipe(epochs=1, batch_size=8), batches="shuffled",
            options=wr.FitOptions(labels_from="identity", rules=["within-days:days=9999"], workers=0, progress=False),
        ),
        "FitOptions": lambda: {
            "labels_from": "identity", "rules": ["within-days:days=9999"], "on_error": "raise", "seed": 0, "workers": 0,
            "crop": wr.Crop(),
            "resume": False, "force": False, "progress": False,
        },
        "Embeddings": lambda: {"ids": vectors.ids, "vectors": vectors.vectors, "provenance": {}},
        "Extraction": lambda: {
            "precision": "fp32", "device": "cpu", "batch_size": 8, "workers": 0, "flip": False, "on_error": "raise",
            "crop": wr.Crop(),
        },
        "embed": lambda: {
            "network": net, "photos": photos, "extraction": wr.Extraction(workers=0), "out": new(".parquet"),
            "progress": False, "force": False,
        },
        "embed_many": lambda: {
            "networks": {"one": net}, "photos": photos, "extraction": wr.Extraction(workers=0),
            "out": {"one": new(".parquet")}, "progress": False, "force": False,
        },
        "raw_pixels": lambda: {"photos": photos, "size": (4, 4), "portrait": False, "crop": wr.Crop()},
        "Ensemble": lambda: {"members": [member], "clip": (0, 1), "block": (4, 4), "progress": False},
        "Member": lambda: {"name": "one", "embeddings": vectors, "weight": 1.0},
        "Expand": lambda: {"weights": (0.5, 0.5), "power": 7, "by": ensemble, "anchors": "first", "shortlist": 9},
        "Route": lambda: {
            "name": "any", "ensemble": ensemble, "rerank": wr.Expand(), "queries": lambda views: True,
            "database": lambda views: True,
        },
        "ViewRoutes": lambda: {"routes": [wr.Route("any", ensemble)]},
        "Task": lambda: {
            "name": "all", "query_ids": ids, "query_images": ids, "database_images": ids,
            "rules": protocol.tasks[0].rules,
        },
        "Ranking": lambda: {"ids": [["a", "b"]], "scores": [[0.9, 0.8]], "query_ids": ["q"]},
        "mean_average_precision": lambda: {"ranking": ranking, "labels": labels, "k": 3, "denominator": "min"},
        "Protocol": lambda: {"tasks": protocol.tasks, "catalogue": photos, "labels": None},
        "Report": lambda: {name: getattr(report, name) for name in inspect.signature(wr.Report).parameters},
        "evaluate": lambda: {
            "task": protocol, "method": ranking, "k": 3, "metrics": ["mAP@3", "top-1"], "catalogue": photos,
            "trained_on": photos, "bootstrap": wr.Bootstrap(resamples=10),
        },
        "Bootstrap": lambda: {"resamples": 10, "confidence": 0.9, "method": "bca", "seed": 0},
        "OpenSetOutcome": lambda: {
            "scores": [0.1, 0.9, 0.8], "known": [False, True, True], "correct": [False, True, True],
            "identities": ["a", "b", "c"],
        },
        "ScoreCalibration": lambda: {"method": "isotonic"},
    }  # fmt: skip
    return lambda name: arguments[name]()


# Not the table of names, and not the error itself, which is what the others are to raise.
CALLABLE = [name for name in PUBLIC if name not in ("TRAINING_TRANSFORMS", "WhalereidError")]
TRIED = [pytest.param(name, marks=pytest.mark.slow) if name == "fit" else name for name in CALLABLE]


def complaint(name: str, arguments: dict[str, Any]) -> str:
    """What is wrong with how a call ends; empty if it works, or says in our words why not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(wr, name)(**arguments)
    except wr.WhalereidError as error:
        return "" if str(error).strip() and "\n" not in str(error) else f"says {str(error)!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[:1]}"
    return ""


@pytest.mark.parametrize("name", TRIED)
def test_wrong_types_are_refused_in_our_words(
    name: str, usual: Callable[[str], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each argument in turn is something it can't be, the others do: it works, or a WhalereidError says why not."""
    monkeypatch.chdir(tmp_path)
    assert not complaint(name, usual(name)), "the usual arguments"
    parameters = inspect.signature(getattr(wr, name)).parameters.values()
    given = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    assert given == set(usual(name)), "all its arguments are tried"
    found = [
        f"{name}({argument}={shown}): {raw}"
        for argument in usual(name)
        for shown, make in WRONG.items()
        if (raw := complaint(name, usual(name) | {argument: make()}))
    ]
    assert not found, f"{len(found)} raw errors:\n" + "\n".join(found)


@pytest.mark.parametrize("name", TRIED)
def test_any_mixture_of_wrong_types_is_refused_in_our_words(
    name: str, usual: Callable[[str], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any of the arguments are something they can't be; those left out that have no default are the signature's."""
    monkeypatch.chdir(tmp_path)
    required = {p.name for p in inspect.signature(getattr(wr, name)).parameters.values() if p.default is p.empty}
    kept = required | ({"weights"} if name == "Embedder" else set())  # whose default asks a hub

    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def mixed(data: st.DataObject) -> None:
        arguments: dict[str, Any] = {}
        for argument, right in usual(name).items():
            kind = data.draw(st.sampled_from(["usual", "left out", *WRONG]), label=argument)
            if kind in WRONG:
                arguments[argument] = WRONG[kind]()
            elif kind == "usual" or argument in kept:
                arguments[argument] = right
        raw = complaint(name, arguments)
        assert not raw, f"{name}: {raw}"

    mixed()


def test_the_table_of_transforms_refuses_in_our_words() -> None:
    found = []
    for shown, make in WRONG.items():
        for transform in [wr.TRAINING_TRANSFORMS[name] for name in wr.TRAINING_TRANSFORMS]:
            for argument in ("image_size", "mean", "std"):
                good: dict[str, Any] = {"image_size": 32, "mean": (0.5,) * 3, "std": (0.5,) * 3}
                try:
                    transform(**good | {argument: make()})
                except wr.WhalereidError:
                    pass
                except Exception as error:
                    found.append(f"{transform}({argument}={shown}): {type(error).__name__}: {error}")
    assert not found, "\n".join(found)


def test_what_is_missing_is_pythons_to_say() -> None:
    for name in CALLABLE:
        parameters = inspect.signature(getattr(wr, name)).parameters.values()
        missing = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        if missing:
            with pytest.raises(TypeError, match=r"missing \d+ required"):
                getattr(wr, name)()
