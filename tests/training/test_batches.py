from __future__ import annotations

import numpy as np
import pytest

from whalereid.errors import WhalereidError
from whalereid.training.batches import EpochBatches


@pytest.mark.parametrize(("n", "batch_size"), [(2, 2), (3, 2), (7, 3), (33, 32), (64, 32), (965, 32)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_item_once_in_batches_of_nearly_one_size(n: int, batch_size: int, shuffle: bool) -> None:
    batches = EpochBatches(n, batch_size, shuffle=shuffle)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    assert sorted(np.concatenate(drawn).tolist()) == list(range(n))
    sizes = [len(batch) for batch in drawn]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= max(batch_size, 3)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = EpochBatches(40, 8, seed=seed)
        batches.set_epoch(3)
        list(batches)  # what was drawn before doesn't matter
        batches.set_epoch(epoch)
        return list(batches)

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_no_shuffling_keeps_the_tables_order() -> None:
    batches = EpochBatches(10, 4, shuffle=False)
    batches.set_epoch(5)
    assert np.concatenate(list(batches)).tolist() == list(range(10))


@pytest.mark.parametrize("n", [8, 21, 100])
def test_processes_share_the_items_and_take_as_many_steps(n: int) -> None:
    shares = [list(EpochBatches(n, 4, seed=1, process=process, processes=2)) for process in (0, 1)]
    assert len(shares[0]) == len(shares[1])
    assert sorted(np.concatenate(shares[0] + shares[1]).tolist()) == list(range(n))
    assert min(len(batch) for share in shares for batch in share) >= 2


def test_too_few_photos_for_the_processes() -> None:
    with pytest.raises(WhalereidError, match="3 photos are too few to train on in 2 processes"):
        EpochBatches(3, 4, processes=2)
