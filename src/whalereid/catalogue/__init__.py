"""The table of photos: schema and aliases, one reader per layout, audit."""

from typing import TYPE_CHECKING, Any

from whalereid.catalogue.audit import Audit, Finding, audit
from whalereid.catalogue.encounters import Encounters
from whalereid.catalogue.exif import fill_from_exif
from whalereid.catalogue.export import export
from whalereid.catalogue.fingerprints import NEAR_IDENTICAL, Fingerprints, fingerprint, most_similar
from whalereid.catalogue.found_encounters import FoundEncounters
from whalereid.catalogue.importing import check_import, import_catalogue
from whalereid.catalogue.readers import Folder, FoundPhotos, Reader, layouts
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.trained_on import TrainedOn
from whalereid.catalogue.usable import RuleUse, Views
from whalereid.catalogue.writers import Writer

if TYPE_CHECKING:
    LAYOUTS: tuple[str, ...]
    """The names of all readers, in the order in which they are asked."""

__all__ = [
    "LAYOUTS",
    "NEAR_IDENTICAL",
    "Audit",
    "Catalogue",
    "Encounters",
    "Finding",
    "Fingerprints",
    "Folder",
    "FoundEncounters",
    "FoundPhotos",
    "Reader",
    "RuleUse",
    "TrainedOn",
    "Views",
    "Writer",
    "audit",
    "check_import",
    "export",
    "fill_from_exif",
    "fingerprint",
    "import_catalogue",
    "most_similar",
]


def __getattr__(name: str) -> Any:
    if name == "LAYOUTS":  # asked anew each time: a script may have added a reader
        return layouts()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
