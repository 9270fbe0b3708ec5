"""Importing: a catalogue made of any table or data set, which stays as it is."""

from whalereid.catalogue.importing.importing import check_import, import_catalogue

__all__ = ["check_import", "import_catalogue"]
