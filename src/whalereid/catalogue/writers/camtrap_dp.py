"""Catalogues as Camtrap DP 1.0.2: deployments, media, and observations with ``individualID``.

The fields and which of them are required: https://camtrap-dp.tdwg.org/data/, https://camtrap-dp.tdwg.org/metadata/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue.photo_sizes import PhotoSizes
from whalereid.catalogue.readers.camtrap_dp import FURTHER
from whalereid.catalogue.readers.camtrap_rows import BOX
from whalereid.catalogue.readers.data_package import DESCRIPTOR
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.writers.camtrap_tables import (
    DEPLOYMENTS,
    MEDIA,
    OBSERVATIONS,
    deployments_of,
    media_of,
    observations_of,
    refuse_missing_words,
    shares_of,
    times_of,
)
from whalereid.catalogue.writers.writer import paths_from
from whalereid.errors import WhalereidError
from whalereid.outputs import PACKAGE, SOFTWARE, Kind, has_columns
from whalereid.tables import write_table

__all__ = ["CamtrapDP"]

_VERSION = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"
_IN_THE_STANDARD = ("path", "identity", "encounter", "species", "location", "latitude", "longitude")
_REQUIRED = {"deployments": ("latitude", "longitude", "deploymentStart", "deploymentEnd"), "media": ("timestamp",)}


class CamtrapDP:
    """A Camtrap DP: a folder of datapackage.json and its tables. One observation a row, at the level of the photo.

    What the standard has no field for (masks, viewpoints, boxes to the pixel, ...) is in a table of its own,
    ``whalereid.csv``, by ``observationID``.

    Parameters
    ----------
    zone : str, default="Z"
        The time zone of dates that name none: ``Z`` or such as ``+02:00``.
    title : str, optional
        Of the project. By default the name of the photos' folder.
    contributor : str, default="unknown"
        Who made it.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {
        DESCRIPTOR: PACKAGE,
        "deployments.csv": Kind("a table of deployments", (".csv",), has_columns(*DEPLOYMENTS)),
        "media.csv": Kind("a table of media", (".csv",), has_columns(*MEDIA)),
        "observations.csv": Kind("a table of observations", (".csv",), has_columns(*OBSERVATIONS)),
        f"{FURTHER}.csv": Kind(
            "whalereid's table of observations", (".csv",), has_columns("observationID", "image_id", more=True)
        ),
    }

    def __init__(self, zone: str = "Z", title: str | None = None, contributor: str = "unknown") -> None:
        self.zone = instance(zone, "zone", str, "a time zone, such as '+02:00'")
        if not re.fullmatch(r"Z|[+-](0\d|1[0-4]):[0-5]\d", zone):
            raise WhalereidError(f"zone is {zone!r:.60}; give Z, or such as +02:00.")
        self.title = None if title is None else instance(title, "title", str, "text")
        self.contributor = instance(contributor, "contributor", str, "a name")

    def write(self, catalogue: Catalogue, files: Mapping[str, Path], out: Path) -> Sequence[str]:
        """Write the package; what it needs and the catalogue lacks is left empty, and said."""
        frame = catalogue.written()
        refuse_missing_words(frame, where=catalogue.source)
        paths, notes = paths_from(catalogue, out)
        dates = catalogue.dates()
        times = times_of(frame, dates, self.zone)
        deployments, camera = deployments_of(frame, times, dates)
        media, photo = media_of(frame, paths, times, camera)
        observations = observations_of(frame, camera, photo, times, dates)
        shares = shares_of(frame, catalogue.column("path").tolist(), PhotoSizes(catalogue.root))
        observations = observations.assign(**{name: shares[:, side] for side, name in enumerate(BOX)})
        of_photo = media.set_index("mediaID")["deploymentID"].reindex(photo).to_numpy(object)
        said = _IN_THE_STANDARD if (of_photo == camera).all() else _IN_THE_STANDARD[:4]
        further = frame.drop(columns=[name for name in said if name in frame])
        further.insert(0, "observationID", further["image_id"])
        written = {"deployments": deployments, "media": media, "observations": observations, FURTHER: further}
        for name, table in written.items():
            write_table(table, files[f"{name}.csv"])
        descriptor = self._descriptor(catalogue, deployments, dates, list(written))
        files[DESCRIPTOR].write_text(json.dumps(descriptor, ensure_ascii=False, indent=1), encoding="utf-8")
        return [*notes, *_what_is_missing(catalogue, written, shares, descriptor)]

    def _descriptor(
        self, catalogue: Catalogue, deployments: pd.DataFrame, dates: np.ndarray, tables: list[str]
    ) -> dict[str, Any]:
        title = self.title or catalogue.root.resolve().name or "photos"
        known = np.sort(dates[~np.isnat(dates)])
        species = sorted(catalogue.column("species").dropna().unique()) if "species" in catalogue.columns else []
        place = _spatial(deployments)
        return {
            "sources": [{"title": SOFTWARE}],
            "profile": f"{_VERSION}/camtrap-dp-profile.json",
            "name": re.sub(r"[^a-z0-9._-]+", "-", title.lower()).strip("-") or "photos",
            "title": title,
            "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "contributors": [{"title": self.contributor, "role": "contributor"}],
            "project": {
                "title": title,
                "samplingDesign": "opportunistic",
                "captureMethod": ["activityDetection"],
                "individualAnimals": True,
                "observationLevel": ["media"],
            },
            **({} if place is None else {"spatial": place}),
            **({"temporal": {"start": str(known[0])[:10], "end": str(known[-1])[:10]}} if len(known) else {}),
            "taxonomic": [{"scientificName": name} for name in species],
            "resources": [_resource(name) for name in tables],
        }


def _resource(name: str) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource", "format": "csv"}
    said |= {"mediatype": "text/csv", "encoding": "utf-8"}
    if name == FURTHER:
        return said | {"description": "What the catalogue holds beyond the standard's fields, by observationID."}
    return said | {"schema": f"{_VERSION}/{name}-table-schema.json"}


def _spatial(deployments: pd.DataFrame) -> dict[str, Any] | None:
    """The rectangle of all deployments as GeoJSON (RFC 7946); None where no place is known."""
    places = deployments[["latitude", "longitude"]].apply(pd.to_numeric, errors="coerce").dropna()
    if not len(places):
        return None
    (south, west), (north, east) = places.min().tolist(), places.max().tolist()
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [corners]}


def _what_is_missing(
    catalogue: Catalogue, written: Mapping[str, pd.DataFrame], shares: np.ndarray, descriptor: Mapping[str, Any]
) -> list[str]:
    lacking = [
        f"{name} of {count:,} {table}"
        for table, names in _REQUIRED.items()
        for name in names
        if (count := int(written[table][name].replace("", np.nan).isna().sum()))
    ]
    lacking += [f"{name} of the package" for name in ("spatial", "temporal", "taxonomic") if not descriptor.get(name)]
    lacking += ["contributors of the package"] if descriptor["contributors"][0]["title"] == "unknown" else []
    notes = []
    if lacking:
        notes.append(
            f"Camtrap DP needs what the catalogue doesn't say: {', '.join(lacking)}; fill it in before you publish"
        )
    boxless = int(catalogue.known("bbox").sum() - (~np.isnan(shares[:, 0])).sum())
    if boxless:
        notes.append(
            f"boxes in {FURTHER}.csv alone, as they lie outside their photo or its size can't be told: {boxless:,}"
        )
    return notes
