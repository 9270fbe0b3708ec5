"""The Python API with arguments of every wrong kind: a WhalereidError, or an answer; nothing raw."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case

WRONG: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "1j": lambda: 1j,
    "10**30": lambda: 10**30,
    "empty text": lambda: "",
    "text": lambda: "no such thing",
    "bytes": lambda: b"x",
    "an empty list": list,
    "a list of None": lambda: [None],
    "a list of lists": lambda: [["a"], []],
    "an empty dict": dict,
    "an object": object,
    "a class": lambda: int,
    "a function": lambda: len,
    "a scalar array": lambda: __import__("numpy").array(3),
    "an array of nan": lambda: __import__("numpy").full((2, 2), float("nan")),
    "a table": lambda: __import__("pandas").DataFrame({"a": [1]}),
    "a set": lambda: {1, 2},
    "a path": lambda: Path("nowhere"),
    "text with NUL": lambda: "a\0b",
}


def _targets() -> dict[str, tuple[Callable[[], Callable[..., Any]], Callable[[], dict[str, Any]]]]:
    """From a call's name to the callable and valid arguments, both made in the child."""

    def w() -> Any:
        import whalereid

        return whalereid

    def photos() -> Any:
        return w().Catalogue.read("data/photos.csv")

    def vectors() -> Any:
        return w().Embeddings.read("emb.parquet")

    def ranking() -> Any:
        return w().Ranking.read("ranking.csv")

    def net() -> Any:
        return w().Embedder.load("run")

    def ensemble() -> Any:
        return w().Ensemble([w().Member("a", vectors())])

    def outcome() -> Any:
        return w().OpenSetOutcome([0.9, 0.8, 0.3, 0.2], [True, True, False, False], [True, True, False, False])

    def report() -> Any:
        return w().evaluate("labels.csv", ranking(), catalogue=photos(), bootstrap=w().Bootstrap(resamples=20))

    def head() -> Any:
        return w().ElasticArcFace(net().dim, photos().n_identities)

    def images() -> Any:
        import torch

        return torch.zeros(2, 3, 32, 32)

    def rules(name: str) -> Any:
        import whalereid.candidates

        return getattr(whalereid.candidates, name)

    labels = {f"p{a}0": {f"p{a}1"} for a in range(6)}
    small = {"backbone": "test_resnet", "image_size": 32, "weights": "random"}
    return {
        "Catalogue": (
            lambda: w().Catalogue,
            lambda: {"frame": photos().frame, "root": ".", "scenarios": (), "source": "x", "notes": ()},
        ),
        "Catalogue.read": (lambda: w().Catalogue.read, lambda: {"source": "data/photos.csv", "layout": None}),
        "Catalogue.column": (lambda: photos().column, lambda: {"name": "identity"}),
        "Catalogue.known": (lambda: photos().known, lambda: {"name": "identity"}),
        "Catalogue.dates": (lambda: photos().dates, lambda: {"column": "date"}),
        "Catalogue.labels": (lambda: photos().labels, lambda: {"identities": ["whale0"]}),
        "Catalogue.counts": (lambda: photos().counts, lambda: {"column": "identity"}),
        "Catalogue.rows": (lambda: photos().rows, lambda: {"image_ids": ["p00"]}),
        "Catalogue.subset": (lambda: photos().subset, lambda: {"image_ids": ["p00"]}),
        "Catalogue.filter": (lambda: photos().filter, lambda: {"identity": "whale0"}),
        "Catalogue.join": (lambda: photos().join, lambda: {"table": "queries.csv"}),
        "Catalogue.assign": (lambda: photos().assign, lambda: {"note": ["x"] * 24}),
        "Catalogue.__getitem__": (lambda: photos().__getitem__, lambda: {"rows": [0, 1]}),
        "Catalogue.write": (lambda: photos().write, lambda: {"path": "new.csv"}),
        "TrainedOn.of": (lambda: w().TrainedOn.of, lambda: {"photos": photos(), "chosen_by": None}),
        "TrainedOn.of_identities": (lambda: w().TrainedOn.of_identities, lambda: {"names": ["a"]}),
        "TrainedOn.of_all": (lambda: w().TrainedOn.of_all, lambda: {"members": [w().TrainedOn.of(photos())]}),
        "TrainedOn.has_photos": (lambda: w().TrainedOn.of(photos()).has_photos, lambda: {"photos": photos()}),
        "TrainedOn.has_identities": (lambda: w().TrainedOn.of(photos()).has_identities, lambda: {"names": ["a"]}),
        "TrainedOn.from_dict": (
            lambda: w().TrainedOn.from_dict,
            lambda: {"noted": w().TrainedOn.of(photos()).to_dict()},
        ),
        "audit": (
            lambda: w().audit,
            lambda: {"catalogue": photos(), "photos": False, "workers": None, "progress": False},
        ),
        "PhotoFolds": (lambda: w().PhotoFolds, lambda: {"n_splits": 2, "seed": 0}),
        "EncounterFolds": (lambda: w().EncounterFolds, lambda: {"n_splits": 2, "seed": 0}),
        "IdentityFolds": (lambda: w().IdentityFolds, lambda: {"n_splits": 2, "seed": 0}),
        "DateSplit": (lambda: w().DateSplit, lambda: {"date": "2020-03-01"}),
        "DateSplit by share": (lambda: w().DateSplit, lambda: {"test_share": 0.2}),
        "OpenSetSplit": (lambda: w().OpenSetSplit, lambda: {"unseen": 0.5, "test_share": 0.2, "seed": 0}),
        "ViewpointSplit": (lambda: w().ViewpointSplit, lambda: {"query": "left", "database": "right"}),
        "PredefinedFolds": (
            lambda: w().PredefinedFolds,
            lambda: {"table": w().fold_table(w().PhotoFolds(2), photos())},
        ),
        "leakage": (
            lambda: w().leakage,
            lambda: {"train": photos()[:12], "test": photos()[12:], "photos": False, "progress": False},
        ),
        "leakage_over_folds": (
            lambda: w().leakage_over_folds,
            lambda: {"catalogue": photos(), "splitter": w().PhotoFolds(2), "photos": False},
        ),
        "fold_table": (lambda: w().fold_table, lambda: {"splitter": w().PhotoFolds(2), "catalogue": photos()}),
        "read_folds": (lambda: w().read_folds, lambda: {"path": "folds.csv", "catalogue": photos()}),
        "write_folds": (
            lambda: w().write_folds,
            lambda: {"table": w().fold_table(w().PhotoFolds(2), photos()), "path": "new.csv"},
        ),
        "read_photo": (
            lambda: w().read_photo,
            lambda: {
                "path": "data/images/0_0.png",
                "bbox": None,
                "portrait": False,
                "mask": [[0, 0, 20, 0, 20, 20]],
                "crop": w().Crop(background="blur"),
            },
        ),
        "Crop": (lambda: w().Crop, lambda: {"pad": 0.1, "background": "blur"}),
        "PhotoDataset": (
            lambda: lambda **o: w().PhotoDataset(**o)[0],
            lambda: {
                "catalogue": photos(),
                "transform": w().evaluation_transform(32),
                "identities": None,
                "labels_from": "identity",
                "portrait": False,
                "on_error": "raise",
                "seed": 0,
            },
        ),
        "CrossViewPairs": (
            lambda: lambda **o: w().CrossViewPairs(**o)[0],
            lambda: {
                "catalogue": photos(),
                "transform": w().evaluation_transform(32),
                "anchor": "left",
                "partner": "right",
                "seed": 0,
            },
        ),
        "evaluation_transform": (
            lambda: w().evaluation_transform,
            lambda: {"image_size": 32, "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "antialias": True},
        ),
        "Embedder": (
            lambda: w().Embedder,
            lambda: {**small, "pooling": "gem", "neck": "bn", "portrait": False, "antialias": True},
        ),
        "Embedder.load": (lambda: w().Embedder.load, lambda: {"source": "run"}),
        "Embedder.save": (lambda: net().save, lambda: {"folder": "newnet"}),
        "Embedder.forward": (lambda: net().eval(), lambda: {"images": images()}),
        "Embedder.mark_trained": (lambda: net().mark_trained, lambda: {"on": None}),
        "load_weights": (
            lambda: w().load_weights,
            lambda: {"module": net(), "source": "run/model.safetensors", "rename": None, "ignore": ()},
        ),
        "ElasticArcFace": (
            lambda: w().ElasticArcFace,
            lambda: {"dim": 8, "n_identities": 3, "scale": 30.0, "margin": 0.5, "std": 0.01, "generator": None},
        ),
        "Recipe": (
            lambda: w().Recipe,
            lambda: {
                "epochs": 1,
                "batch_size": 4,
                "optimizer": "adamw",
                "lr": 0.1,
                "head_lr": None,
                "weight_decay": 0.0,
                "schedule": w().WarmupCosine(),
                "transform": "strong",
                "flip": None,
                "clip": None,
                "shuffle": True,
                "select_by": "mAP",
                "patience": None,
                "precision": "fp32",
            },
        ),
        "Recipe.named": (lambda: w().Recipe.named, lambda: {"name": "default"}),
        "Recipe.from_dict": (lambda: w().Recipe.from_dict, lambda: {"settings": w().Recipe().to_dict()}),
        "WarmupCosine": (lambda: w().WarmupCosine, lambda: {"warmup": 0.1, "start": 0.1, "floor": 0.1}),
        "RampThenDecay": (
            lambda: w().RampThenDecay,
            lambda: {"ramp": 5, "start": 0.01, "floor": 0.01, "decay": 0.8, "steps_per_epoch": 1},
        ),
        "fit": (
            lambda: w().fit,
            lambda: {
                "net": net(),
                "head": head(),
                "train": photos(),
                "valid": None,
                "recipe": w().Recipe(epochs=1, batch_size=8, precision="fp32"),
                "out": "newrun",
                "batches": None,
                "options": w().FitOptions(workers=0, progress=False),
            },
        ),
        "FitOptions": (
            lambda: w().FitOptions,
            lambda: {
                "labels_from": None,
                "rules": None,
                "on_error": "raise",
                "crop": w().Crop(),
                "seed": 0,
                "workers": 0,
                "resume": False,
                "force": False,
                "progress": False,
            },
        ),
        "Embeddings": (
            lambda: w().Embeddings,
            lambda: {"ids": vectors().ids, "vectors": vectors().vectors, "provenance": {}},
        ),
        "Embeddings.from_numpy": (
            lambda: w().Embeddings.from_numpy,
            lambda: {"ids": ["a", "b"], "vectors": [[1.0, 2.0], [2.0, 1.0]], "provenance": None},
        ),
        "Embeddings.take": (lambda: vectors().take, lambda: {"ids": ["p00"]}),
        "Embeddings.rows": (lambda: vectors().rows, lambda: {"ids": ["p00"]}),
        "Embeddings.read": (lambda: w().Embeddings.read, lambda: {"path": "emb.parquet"}),
        "Embeddings.read_header": (lambda: w().Embeddings.read_header, lambda: {"path": "emb.parquet"}),
        "Embeddings.write": (lambda: vectors().write, lambda: {"path": "new.parquet"}),
        "Embeddings.concatenate": (lambda: w().Embeddings.concatenate, lambda: {"members": [vectors()]}),
        "Extraction": (
            lambda: w().Extraction,
            lambda: {
                "precision": "fp32",
                "device": "cpu",
                "batch_size": 8,
                "workers": 0,
                "flip": False,
                "on_error": "raise",
                "crop": w().Crop(),
            },
        ),
        "embed": (
            lambda: w().embed,
            lambda: {
                "network": net(),
                "photos": photos(),
                "extraction": w().Extraction(workers=0),
                "out": None,
                "progress": False,
            },
        ),
        "embed_many": (
            lambda: w().embed_many,
            lambda: {
                "networks": {"a": net()},
                "photos": photos(),
                "extraction": w().Extraction(workers=0),
                "out": None,
                "progress": False,
            },
        ),
        "raw_pixels": (lambda: w().raw_pixels, lambda: {"photos": photos(), "size": (4, 4), "portrait": False}),
        "Member": (lambda: w().Member, lambda: {"name": "a", "embeddings": vectors(), "weight": 1.0}),
        "Ensemble": (
            lambda: w().Ensemble,
            lambda: {
                "members": [w().Member("a", vectors())],
                "clip": (-1.0, 1.0),
                "block": (8, 8),
                "progress": False,
            },
        ),
        "Ensemble of a mapping": (lambda: lambda members: w().Ensemble({"a": members}), lambda: {"members": vectors()}),
        "Ensemble.rank": (
            lambda: ensemble().rank,
            lambda: {
                "queries": photos()[:3],
                "database": photos(),
                "k": 5,
                "rerank": None,
                "exclude": (),
                "match": (),
                "rules": ["differ:column=encounter"],
                "query_ids": None,
            },
        ),
        "Ensemble.similarity": (lambda: ensemble().similarity, lambda: {"queries": photos()[:3], "database": photos()}),
        "Expand": (
            lambda: w().Expand,
            lambda: {"weights": (0.4, 0.4, 0.2), "power": 7, "by": None, "anchors": "first", "shortlist": 10},
        ),
        "Route": (lambda: w().Route, lambda: {"name": "a", "ensemble": ensemble(), "rerank": None}),
        "Route.rank": (
            lambda: w().Route("a", ensemble()).rank,
            lambda: {"queries": photos()[:3], "database": photos(), "k": 5},
        ),
        "ViewRoutes": (lambda: w().ViewRoutes, lambda: {"routes": [w().Route("a", ensemble())]}),
        "ViewRoutes.rank": (
            lambda: w().ViewRoutes([w().Route("a", ensemble())]).rank,
            lambda: {"queries": photos()[:3], "database": photos(), "k": 5},
        ),
        "Task": (
            lambda: w().Task,
            lambda: {"name": "a", "query_ids": ["q"], "query_images": ["a"], "database_images": ["a", "b"]},
        ),
        "Ranking": (lambda: w().Ranking, lambda: {"ids": [["a"]], "scores": [[0.5]], "query_ids": ["q"]}),
        "Ranking.from_codes": (
            lambda: w().Ranking.from_codes,
            lambda: {
                "query_ids": ["q"],
                "database_ids": ["a", "b"],
                "codes": [[0, 1]],
                "scores": [[0.5, 0.4]],
                "trained_on": None,
            },
        ),
        "Ranking.from_scores": (
            lambda: w().Ranking.from_scores,
            lambda: {
                "scores": [[0.5, 0.4]],
                "query_ids": ["q"],
                "database_ids": ["a", "b"],
                "k": 2,
                "are": "scores",
                "rules": (),
            },
        ),
        "CandidateRules": (
            lambda: w().CandidateRules,
            lambda: {"exclude": (), "match": (), "rules": ["within-days:days=3"]},
        ),
        "CandidateRules.mask": (
            lambda: w().CandidateRules(["encounter"]).mask,
            lambda: {"queries": photos(), "database": photos()},
        ),
        "CandidateRules.from_list": (
            lambda: w().CandidateRules.from_list,
            lambda: {"noted": w().CandidateRules("encounter").to_list()},
        ),
        "WithinDays": (lambda: rules("WithinDays"), lambda: {"days": 3, "column": "date", "unknown": "nothing"}),
        "BeyondDistance": (
            lambda: rules("BeyondDistance"),
            lambda: {"km": 3, "latitude": "latitude", "longitude": "longitude", "unknown": "nothing"},
        ),
        "Viewpoints": (lambda: rules("Viewpoints"), lambda: {"pairs": ["left/left"], "column": "viewpoint"}),
        "MustNot": (lambda: rules("MustNot"), lambda: {"pairs": [("a", "b")], "column": "image_id"}),
        "Alive": (
            lambda: rules("Alive"),
            lambda: {"first": "born", "last": "died", "column": "date", "unknown": "anything"},
        ),
        "Ranking.concat": (lambda: w().Ranking.concat, lambda: {"rankings": [ranking()]}),
        "Ranking.cut": (lambda: ranking().cut, lambda: {"k": 2}),
        "Ranking.from_frame": (lambda: w().Ranking.from_frame, lambda: {"frame": ranking().to_frame(), "where": "x"}),
        "Ranking.read": (lambda: w().Ranking.read, lambda: {"path": "ranking.csv"}),
        "Ranking.write": (lambda: ranking().write, lambda: {"path": "new.csv"}),
        "mean_average_precision": (
            lambda: w().mean_average_precision,
            lambda: {"ranking": "ranking.csv", "labels": labels, "k": 20, "denominator": "min"},
        ),
        "Protocol": (
            lambda: w().Protocol,
            lambda: {"tasks": [w().Task("a", ["p00"], ["p00"], ["p00", "p01"])], "catalogue": photos(), "labels": None},
        ),
        "Protocol.from_catalogue": (
            lambda: w().Protocol.from_catalogue,
            lambda: {"catalogue": photos(), "exclude": (), "match": (), "rules": ()},
        ),
        "Protocol.from_split": (
            lambda: w().Protocol.from_split,
            lambda: {
                "catalogue": photos(),
                "split": next(iter(w().EncounterFolds(2).split(photos()))),
                "database": "test",
                "fold": 0,
                "exclude": (),
                "match": (),
                "rules": (),
            },
        ),
        "Protocol.read": (lambda: w().Protocol.read, lambda: {"folder": "protocol", "catalogue": photos()}),
        "Protocol.write": (lambda: w().Protocol.from_catalogue(photos()).write, lambda: {"folder": "newprotocol"}),
        "evaluate": (
            lambda: w().evaluate,
            lambda: {
                "task": labels,
                "method": ranking(),
                "k": 20,
                "metrics": ["mAP@20", "top-1"],
                "catalogue": photos(),
                "trained_on": None,
                "bootstrap": w().Bootstrap(resamples=20, confidence=0.9),
            },
        ),
        "Report.by": (lambda: report().by, lambda: {"what": "viewpoint"}),
        "Report.compare": (lambda: report().compare, lambda: {"other": report()}),
        "Report.to_dict": (lambda: report().to_dict, lambda: {"by": ["viewpoint"]}),
        "Report.to_markdown": (lambda: report().to_markdown, lambda: {"by": ["viewpoint"]}),
        "Report.query_column": (lambda: report().query_column, lambda: {"name": "viewpoint"}),
        "OpenSetOutcome": (
            lambda: w().OpenSetOutcome,
            lambda: {"scores": [0.9, 0.1], "known": [True, False], "correct": [True, False], "identities": ["a", "b"]},
        ),
        "OpenSetOutcome.from_report": (lambda: w().OpenSetOutcome.from_report, lambda: {"report": report()}),
        "OpenSetOutcome.false_alarm_rate": (lambda: outcome().false_alarm_rate, lambda: {"threshold": 0.5}),
        "OpenSetOutcome.baks": (lambda: outcome().baks, lambda: {"threshold": 0.5}),
        "OpenSetOutcome.summary": (lambda: outcome().summary, lambda: {"threshold": 0.5}),
        "OpenSetOutcome.threshold": (
            lambda: outcome().threshold,
            lambda: {"false_accept_rate": 0.1, "bootstrap": w().Bootstrap(resamples=20)},
        ),
        "ScoreCalibration": (lambda: w().ScoreCalibration, lambda: {"method": "isotonic"}),
        "ScoreCalibration.fit": (lambda: w().ScoreCalibration().fit, lambda: {"scores": [0.1, 0.9], "same": [0, 1]}),
        "ScoreCalibration.predict": (
            lambda: w().ScoreCalibration.read("calibration.json").predict,
            lambda: {"scores": [0.1]},
        ),
        "ScoreCalibration.read": (lambda: w().ScoreCalibration.read, lambda: {"path": "calibration.json"}),
        "ScoreCalibration.write": (
            lambda: w().ScoreCalibration.read("calibration.json").write,
            lambda: {"path": "new.json"},
        ),
    }


ARGUMENTS = 1  # wrong values tried of each argument


def cases(chosen: random.Random) -> Iterator[Case]:
    names = _argument_names()
    for name, arguments in names.items():
        for argument in arguments:
            for wrong in chosen.sample(sorted(WRONG), ARGUMENTS):
                yield Case(f"{name}({argument}={wrong})", call=_call(name, argument, wrong), wanted="either")
    for name in names:
        yield Case(
            f"{name} as it should be",
            call=_call(name, "", ""),
            wanted="done",
            writes=("new.csv", "new.parquet", "newnet", "newrun", "newprotocol", "new.json"),
        )
    for part, bad in (
        ("mean", "nan"),
        ("std", "nan"),
        ("std", "0"),
        ("std", "-1"),
        ("mean", "inf"),
        ("std", "inf"),
        ("mean", "1j"),
        ("std", "True"),
    ):
        value = complex(bad) if bad == "1j" else True if bad == "True" else float(bad)
        yield Case(f"evaluation_transform({part} of {bad})", call=lambda f, p=part, v=value: _transform(p, v))
        yield Case(f"Embedder({part} of {bad})", call=lambda f, p=part, v=value: _embedder(p, v))


def _transform(part: str, value: Any) -> Any:
    from whalereid import evaluation_transform

    return evaluation_transform(32, **{part: (value, value, value)})


def _embedder(part: str, value: Any) -> Any:
    from whalereid import Embedder, Preprocessing

    return Embedder("test_resnet", preprocessing=Preprocessing(**{part: (value, value, value)}), weights="random")


def _argument_names() -> dict[str, list[str]]:
    """The arguments by call: read off the source of the valid ones, so that nothing is made in this process."""
    return {name: list(valid.__code__.co_consts and _keys(name)) for name, (_, valid) in _targets().items()}


def _keys(name: str) -> list[str]:
    import ast

    tree = ast.parse(Path(__file__).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == name and isinstance(value, ast.Tuple):
                    body = value.elts[1].body  # type: ignore[attr-defined]
                    found = [k.value for k in body.keys if isinstance(k, ast.Constant)]
                    return [*found, *(["backbone", "image_size", "weights"] if len(found) < len(body.keys) else [])]
    raise KeyError(name)


def _call(name: str, argument: str, wrong: str) -> Callable[[Path], Any]:
    def call(folder: Path) -> Any:
        target, valid = _targets()[name]
        given = valid()
        function = target()
        if argument:
            given[argument] = WRONG[wrong]()
        if name in ("Embedder.forward", "Catalogue.__getitem__"):  # by place alone
            return function(*given.values())
        return function(**given)

    return call
