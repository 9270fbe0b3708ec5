"""Backbone (timm), pooling and neck make an Embedder; loading and saving weights.

Names are imported when first used: looking at a saved network's folder needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
