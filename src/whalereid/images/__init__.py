"""Decoding, transforms, view-aware datasets, rendered belugas."""
