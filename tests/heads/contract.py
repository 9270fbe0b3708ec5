"""What every head promises; each head's test inherits it and says how to build one."""

from __future__ import annotations

import io
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError


class HeadContract:
    """`head(embeddings (B, D), labels (B,))` → a finite scalar loss that falls as photos near their identity."""

    dim: ClassVar[int] = 8
    n_identities: ClassVar[int] = 5

    def make(self, **options: object) -> nn.Module:
        raise NotImplementedError

    def directions(self, head: nn.Module) -> Tensor:
        """(n_identities, dim): where the head expects each identity."""
        raise NotImplementedError

    @pytest.fixture
    def batch(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(3)
        return torch.randn(16, self.dim, generator=generator), torch.randint(
            self.n_identities, (16,), generator=generator
        )

    def test_the_loss_is_a_finite_scalar_with_gradients(self, batch: tuple[Tensor, Tensor]) -> None:
        head, (embeddings, labels) = self.make(), batch
        embeddings.requires_grad_()
        loss = head(embeddings, labels)
        loss.backward()
        assert loss.shape == ()
        assert loss.dtype == torch.float32
        assert loss.isfinite()
        for tensor in (embeddings, *head.parameters()):
            assert tensor.grad is not None
            assert tensor.grad.isfinite().all()
            assert tensor.grad.any()

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_gradients_are_finite_at_cosine_one_and_minus_one(self, sign: float) -> None:
        head = self.make()
        labels = torch.arange(self.n_identities)
        embeddings = (sign * 7 * self.directions(head).detach()).requires_grad_()
        loss = head(embeddings, labels)
        loss.backward()
        assert loss.isfinite()
        for tensor in (embeddings, *head.parameters()):
            assert tensor.grad is not None
            assert tensor.grad.isfinite().all()

    def test_a_vector_of_zeros_is_finite(self) -> None:
        head, embeddings = self.make(), torch.zeros(2, self.dim, requires_grad=True)
        loss = head(embeddings, torch.tensor([0, 1]))
        loss.backward()
        assert loss.isfinite()
        assert embeddings.grad is not None
        assert embeddings.grad.isfinite().all()

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_embeddings(self, batch: tuple[Tensor, Tensor], dtype: torch.dtype) -> None:
        head, (embeddings, labels) = self.make().eval(), batch
        rounded = embeddings.to(dtype)
        made = head(rounded, labels)
        assert made.dtype == torch.float32
        torch.testing.assert_close(made, head(rounded.float(), labels))
        assert all(parameter.dtype == torch.float32 for parameter in head.parameters())

    def test_autocast_changes_nothing(self, batch: tuple[Tensor, Tensor]) -> None:
        head, (embeddings, labels) = self.make().eval(), batch
        expected = head(embeddings, labels)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(head(embeddings, labels), expected)

    def test_it_falls_as_photos_near_their_identity(self, batch: tuple[Tensor, Tensor]) -> None:
        head, (embeddings, labels) = self.make().eval(), batch
        near = nn.functional.normalize(self.directions(head).detach())[labels]
        away = nn.functional.normalize(embeddings)
        losses = [head((1 - share) * away + share * near, labels).item() for share in (0.0, 0.5, 1.0)]
        assert losses[0] > losses[1] > losses[2]

    def test_seeds_make_runs_equal(self, batch: tuple[Tensor, Tensor]) -> None:
        def run() -> tuple[float, float, Tensor]:
            torch.manual_seed(11)
            head = self.make()
            return head(*batch).item(), head(*batch).item(), next(head.parameters()).detach()

        first, second = run(), run()
        assert first[:2] == second[:2]
        assert torch.equal(first[2], second[2])

    def test_evaluation_does_not_depend_on_chance(self, batch: tuple[Tensor, Tensor]) -> None:
        head = self.make().eval()
        assert head(*batch).item() == head(*batch).item()

    def test_save_and_load(self, batch: tuple[Tensor, Tensor]) -> None:
        head, file = self.make(), io.BytesIO()
        head(*batch)
        torch.save(head.state_dict(), file)
        file.seek(0)
        again = self.make()
        again.load_state_dict(torch.load(file, weights_only=True))
        assert torch.equal(again.eval()(*batch), head.eval()(*batch))

    @pytest.mark.parametrize("label", [-1, 5])
    def test_labels_of_no_identity_are_refused(self, label: int) -> None:
        with pytest.raises(WhalereidError, match=r"labels from .* for 5 identities"):
            self.make()(torch.randn(2, self.dim), torch.tensor([0, label]))

    def test_it_learns_to_tell_identities_apart(self) -> None:
        torch.manual_seed(0)
        head = self.make()
        embeddings = nn.Parameter(torch.randn(10, self.dim))
        labels = torch.arange(10) % self.n_identities
        optimiser = torch.optim.Adam([embeddings, *head.parameters()], lr=0.1)
        for _ in range(60):
            optimiser.zero_grad()
            head(embeddings, labels).backward()
            optimiser.step()
        cosines = nn.functional.normalize(embeddings) @ nn.functional.normalize(self.directions(head)).T
        assert (cosines.argmax(dim=1) == labels).all()
