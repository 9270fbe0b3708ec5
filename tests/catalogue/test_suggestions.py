from __future__ import annotations

import pandas as pd
import pytest

from whalereid.catalogue import Catalogue, audit
from whalereid.catalogue.suggestions import suggest_columns
from whalereid.errors import WhalereidError


@pytest.mark.parametrize(
    ("known", "names"),
    [
        (
            "identity",
            "individual Individual individual_id animal animal_id catalog_id who indentity",
        ),
        ("identity", "WhaleID who ID_name"),
        ("viewpoint", "side flank angle Flank view_point"),
        ("encounter", "sighting sighting_id event occurrence Encounters"),
        ("path", "file filename image_path filepath file_name"),
        ("date", "datetime date_taken captured dates"),
        ("latitude", "lat_deg latitude_dd Latitud"),
        ("longitude", "lon_deg longitud"),
        ("mask", "masks mask_path Polygon"),
    ],
)
def test_near_misses(known: str, names: str) -> None:
    there = [name for name in ("image_id", "path", "identity", "viewpoint", "encounter", "date") if name != known]
    for name in names.split():
        assert suggest_columns([*there, name]) == {known: name}


@pytest.mark.parametrize("name", ["image", "photo", "photo_id", "id"])
def test_ids(name: str) -> None:
    assert suggest_columns(["path", name]) == {"image_id": name}


def test_what_is_there_is_not_suggested() -> None:
    assert suggest_columns(["image_id", "path", "whale_id", "timestamp", "individual", "captured"]) == {}
    assert suggest_columns(["image_id", "path", "notes", "weight", "update", "age", "sex"]) == {}
    assert suggest_columns([]) == {}


def test_the_table_without_path_asks() -> None:
    frame = pd.DataFrame({"photo_id": ["a"], "file": ["a.jpg"]})
    with pytest.raises(WhalereidError, match="did you mean image_id=photo_id, path=file\\? Rename the columns to"):
        Catalogue(frame)


def test_check_asks() -> None:
    frame = pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"], "Individual": ["x"], "sighting": ["1"]})
    findings = {finding.kind: finding for finding in audit(Catalogue(frame), photos=False).findings}
    assert (
        "Did you mean identity=Individual? Rename the column to identity, or import with"
        in findings["no-identities"].advice
    )
    assert findings["similar-columns"].offenders == ("encounter=sighting",)
