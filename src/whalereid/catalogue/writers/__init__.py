"""One writer per format of catalogues; `whalereid.parts.WRITERS` lists them."""

from whalereid.catalogue.writers.writer import Writer

__all__ = ["Writer"]
