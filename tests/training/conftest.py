from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from training.drawing import draw_photos
from whalereid.catalogue import Catalogue


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """24 photos of 6 animals; read only."""
    return draw_photos(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small only wait for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
