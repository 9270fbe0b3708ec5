"""Transforms, view-aware datasets, rendered belugas.

Names are imported when first used: reading and drawing photos needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
