"""The table of photos: schema and aliases, one reader per layout, audit."""

from whalereid.catalogue.audit import Audit, Finding, audit
from whalereid.catalogue.fingerprints import NEAR_IDENTICAL, Fingerprints, fingerprint, most_similar
from whalereid.catalogue.readers import LAYOUTS
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.trained_on import TrainedOn
from whalereid.catalogue.usable import RuleUse, Views

__all__ = [
    "LAYOUTS",
    "NEAR_IDENTICAL",
    "Audit",
    "Catalogue",
    "Finding",
    "Fingerprints",
    "RuleUse",
    "TrainedOn",
    "Views",
    "audit",
    "fingerprint",
    "most_similar",
]
