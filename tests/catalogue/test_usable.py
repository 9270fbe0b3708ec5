from __future__ import annotations

import json
from dataclasses import asdict
from itertools import product

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue, audit
from whalereid.catalogue.usable import RuleUse, rule_uses, views_of
from whalereid.ranking import CandidateRules


def table(**columns: list[object]) -> Catalogue:
    ids = [f"p{row}" for row in range(len(next(iter(columns.values()))))]
    return Catalogue(pd.DataFrame({"image_id": ids, "path": ids, **columns}), source="t.csv")


def by_rules(photos: Catalogue) -> dict[tuple[tuple[str, ...], tuple[str, ...]], RuleUse]:
    return {(use.exclude, use.match): use for use in rule_uses(photos)}


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_the_candidate_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def column(values: list[str | None]) -> list[object]:
        return list(rng.choice(np.array(values, object), 60))

    photos = table(
        identity=column([*"abcdefghijkl", None]),
        encounter=column([*"123456", None]),
        viewpoint=column(["left", "right", "top", None]),
        date=column(["2017-01-01", "2017-01-02", "2018-05-05", None]),
    )
    found = by_rules(photos)
    assert len(found) == 5
    same = photos.labels()[:, None] == photos.labels()[None]
    same &= (photos.labels() >= 0)[:, None]
    for (exclude, match), use in found.items():
        allowed = CandidateRules(exclude, match).mask(photos, photos).block(slice(None), slice(None))
        assert use.problem == ""
        assert use.photos == int((photos.labels() >= 0).sum())
        assert use.with_match == int((same & allowed).any(axis=1).sum())


def test_what_becomes_of_photos_whose_value_is_unknown() -> None:
    sides = {"viewpoint": ["left", "left", None, "unknown"], "encounter": ["1", "", "2", "2"]}
    found = by_rules(table(identity=list("aaaa"), date=["2017-01-01", None, None, "soon"], **sides))
    assert found[("encounter",), ("viewpoint",)].unknown == {"encounter": 1, "viewpoint": 2}
    assert str(found[("encounter",), ("viewpoint",)]).endswith(
        "among their candidates; of unknown encounter, so excluded from nothing: 1; "
        "of unknown viewpoint, so matching nothing: 2"
    )
    assert str(found[("date",), ()]).endswith("; of unknown date, so excluded from nothing: 2")
    assert "unknown" not in str(found[(), ()])
    nobodys = by_rules(table(viewpoint=["left", None]))
    assert str(nobodys[(), ("viewpoint",)]).endswith(
        "nothing can be scored; of unknown viewpoint, so matching nothing: 1"
    )
    assert json.loads(json.dumps(asdict(found[("encounter",), ()])))["unknown"] == {"encounter": 1}


def test_a_table_with_dates_is_told_of_encounters() -> None:
    dated = by_rules(table(identity=list("aa"), date=["2017-01-01"] * 2))
    assert "`whalereid encounters` makes encounters of dates" in dated[("encounter",), ()].problem
    assert "makes" not in dated[(), ("viewpoint",)].problem


def test_rules_that_lack_their_column() -> None:
    found = by_rules(table(identity=list("aab"), encounter=["", "unknown", ""]))
    assert str(found[(), ()]) == "no rules: 2 of 3 photos have another of their animal among their candidates"
    lacking = "no encounters; add the column or leave it out"
    assert str(found[("encounter",), ()]) == f"--exclude encounter: can't be used: {lacking}"
    assert found[("encounter",), ("viewpoint",)].problem == "no encounters and no viewpoints; add the columns or " + (
        "leave them out"
    )
    assert (("date",), ()) not in found


def test_photos_of_nobody_known_can_be_ranked_not_scored() -> None:
    found = by_rules(table(viewpoint=["left", "right"]))
    assert "nothing can be scored" in str(found[(), ("viewpoint",)])
    assert found[(), ("viewpoint",)].problem == ""


def test_views() -> None:
    views = views_of(table(identity=["a", "a", "a", "b", None], viewpoint=["left", "left", "right", "left", "top"]))
    assert (views.identities, views.identities_of_several, views.cross_view_pairs) == (2, 1, 2)
    assert "left and right are told apart; 1 of 2 animals are seen from several sides (2 pairs" in str(views)
    assert "right isn't" in str(views_of(table(identity=list("ab"), viewpoint=["front-left", "top"])))
    assert "not told apart" in str(views_of(table(identity=list("ab"), viewpoint=["top", "top"])))
    assert str(views_of(table(identity=list("ab")))) == "no viewpoints"
    assert "told apart" in str(views_of(table(viewpoint=["left", "right"])))


@pytest.mark.parametrize(("identity", "viewpoint"), list(product((["a"], [None]), (["left"], [None]))))
def test_one_photo(identity: list[object], viewpoint: list[object]) -> None:
    photos = table(identity=identity, viewpoint=viewpoint)
    assert all(use.with_match == 0 for use in rule_uses(photos))
    assert views_of(photos).cross_view_pairs == 0


def test_pairs_of_many_photos_are_not_counted_one_by_one() -> None:
    n = 200_000
    photos = table(identity=["a"] * n, viewpoint=["left", "right"] * (n // 2))
    assert views_of(photos).cross_view_pairs == (n // 2) ** 2
    assert by_rules(photos)[(), ("viewpoint",)].with_match == n


def test_the_audit_says_so() -> None:
    result = audit(table(identity=list("aab"), viewpoint=["left", "left", "top"]), photos=False)
    assert "rules       no rules: 2 of 3 photos" in str(result)
    assert "--exclude encounter: can't be used: no encounters" in str(result)
    told = json.loads(json.dumps(result.to_dict()))
    assert told["rules"][0] == {
        "exclude": [], "match": [], "problem": "", "photos": 3, "with_match": 2, "unknown": {},
    }  # fmt: skip
    assert told["views"]["counts"] == {"left": 2, "top": 1}
