"""Fold splitters (scikit-learn's splitter protocol) and the leakage report."""
