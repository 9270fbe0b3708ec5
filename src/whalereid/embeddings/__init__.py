"""Extraction, the Embeddings table, its store on disk.

Names are imported when first used: tables alone can be read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
