"""Backbone (timm), pooling and neck make an Embedder; loading and saving weights."""
