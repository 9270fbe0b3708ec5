from __future__ import annotations

import pytest
import torch
from torch import nn

from whalereid.errors import WhalereidError
from whalereid.parts import NECKS


def test_none_passes_the_vector_on() -> None:
    pooled = torch.randn(4, 6)
    assert NECKS.make("none", width=6)(pooled) is pooled


def test_bn_normalises_in_training() -> None:
    made = NECKS.make("bn", width=6)(torch.randn(256, 6) * 5 + 3)
    torch.testing.assert_close(made.mean(0), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(made.std(0, correction=0), torch.ones(6), atol=1e-3, rtol=0)


def test_the_layers_come_in_their_order() -> None:
    neck = NECKS.make("bn-linear:dim=4,activation=hardtanh", width=6).eval()
    neck.bn.running_mean = torch.linspace(-1, 1, 6)
    pooled = 3 * torch.randn(5, 6)
    normalised = (pooled - torch.linspace(-1, 1, 6)) / (1 + 1e-5) ** 0.5
    expected = normalised.clamp(-1, 1) @ neck.linear.weight.T + neck.linear.bias
    torch.testing.assert_close(neck(pooled), expected)
    assert neck(pooled).shape == (5, 4)


def test_dropout_stands_after_batchnorm_and_only_in_training() -> None:
    neck = NECKS.make("bn:dropout=0.5", width=64)
    made = neck(torch.randn(32, 64))
    assert 0.4 < (made == 0).float().mean() < 0.6  # zeros where nothing comes after to move them
    assert neck.eval()(torch.randn(32, 64)).count_nonzero() == 32 * 64


def test_parameter_names() -> None:
    names = set(NECKS.make("bn-linear", width=3).state_dict())
    assert names >= {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "linear.weight", "linear.bias"}
    assert isinstance(NECKS.make("bn-linear:activation=relu", width=3).activation, nn.ReLU)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("bnneck", "'bnneck' is unknown; .*bn, bn-linear, none"),
        ("bn-linear:activation=sigmoidal", "'sigmoidal'; choose from hardtanh"),
        ("bn:activation=relu", "'bn' has no option 'activation'"),
        ("bn:dim=5", "'bn' has no option 'dim'"),
        ("bn-linear:dim=0", "dim is 0; give a whole number from 1 to 65536"),
        ("bn-linear:dim=1000000000000", "dim is 1000000000000; give a whole number from 1"),
        ("bn:copies=65", "copies is 65; give a whole number from 1 to 64"),
        ("bn:dropout=1.0", "dropout is 1.0; give a share from 0 to below 1"),
        ("bn:dropout=nan", "dropout is nan; give a number"),
        ({"name": "bn", "options": {"copies": True}}, "copies is True; give a whole number"),
    ],
)
def test_options_that_cannot_be(asked: object, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        NECKS.make(asked, width=6)
