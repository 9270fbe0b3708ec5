"""The steps of one epoch: batches through network and head, gradients, and the optimizer."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn
from torch.utils.data import DataLoader

from whalereid import stopping
from whalereid.errors import WhalereidError
from whalereid.images import collate
from whalereid.models import Embedder
from whalereid.parts import BATCHES
from whalereid.training.arithmetic import autocast_dtype, depthwise_in_float32, mixed_seed
from whalereid.training.batches import AnySampler, EpochBatches, SampledBatches
from whalereid.training.failures import DivergedError
from whalereid.training.items import TrainingItems
from whalereid.training.optimizer import make_optimizer
from whalereid.training.progress import TrainingProgress
from whalereid.training.recipe import Recipe
from whalereid.training.waiting import WatchedBatches

__all__ = ["LossOfBatch", "Steps", "StepsTaken", "make_batches"]

_SHOW_EVERY = 0.25  # seconds between looks at the loss, which make an accelerator wait


class LossOfBatch(nn.Module):
    """Network and head as one module, which Accelerate wraps: the caller's own stay as they are.

    Parameters
    ----------
    net, head : nn.Module
    compute : torch.dtype, optional
        What the network computes in; by default in the precision of its weights.
    """

    def __init__(self, net: nn.Module, head: nn.Module, compute: torch.dtype | None = None) -> None:
        super().__init__()
        self.net, self.head, self.compute = net, head, compute

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(B, 3, H, W), or (B, views, 3, H, W) → the loss, summed over views."""
        views = images.unbind(1) if images.ndim == 5 else (images,)
        return torch.stack([self._loss(view, labels) for view in views]).sum()

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        with torch.autocast(images.device.type, self.compute, enabled=self.compute is not None):
            embeddings = self.net(images.contiguous(memory_format=torch.channels_last))
        with torch.autocast(images.device.type, enabled=False):  # margins and softmax need float32
            loss: Tensor = self.head(embeddings.float(), labels)
        return loss


def make_batches(
    items: TrainingItems, sampler: AnySampler | None, recipe: Recipe, accelerator: Accelerator, seed: int
) -> EpochBatches | SampledBatches:
    """Make the batches that a sampler gives, or else those that the recipe names; this process's share of them."""
    share: dict[str, int] = {"process": accelerator.process_index, "processes": accelerator.num_processes}
    named = recipe.batches
    if sampler is None and named is not None:

        def sampler(labels: Any, batch_size: int, seed: int) -> Any:
            return BATCHES.make(named, labels=labels, batch_size=batch_size, seed=seed)

    if sampler is None:
        return EpochBatches(len(items), recipe.batch_size, shuffle=recipe.shuffle, seed=seed, **share)
    return SampledBatches(sampler, items.labels, recipe.batch_size, seed=seed, **share)


class StepsTaken(NamedTuple):
    """What an epoch's steps gave."""

    loss: float
    """Mean over the epoch's photos."""
    waiting: float
    """Share of the steps' time, from 0 to 1, in which the network waited for photos; over all processes."""


class Steps:
    """Takes the steps of one epoch after another.

    Parameters
    ----------
    net, head, items : Embedder, Module, TrainingItems
        What is trained, and on what.
    batches : EpochBatches or SampledBatches
        Which items make a batch.
    recipe : Recipe
    accelerator : Accelerator
    seed, workers : int
        Of the training; processes that prepare photos.

    Attributes
    ----------
    optimizer : Optimizer
    scaler : GradScaler or None
        Of the loss, where the network computes in float16.
    """

    def __init__(
        self,
        net: Embedder,
        head: nn.Module,
        items: TrainingItems,
        batches: EpochBatches | SampledBatches,
        recipe: Recipe,
        accelerator: Accelerator,
        *,
        seed: int,
        workers: int,
    ) -> None:
        self.net, self.items, self.batches, self.recipe = net, items, batches, recipe
        self.accelerator, self.seed = accelerator, seed
        half = autocast_dtype(recipe.precision, accelerator.device)
        dataset: Any = items
        self._generator = torch.Generator()  # its own, so that workers don't draw on the training's
        self.loader: DataLoader[Any] = DataLoader(
            dataset,
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=collate,
            pin_memory=accelerator.device.type == "cuda",
            # Workers that live on have random states of their own, which a resumed training couldn't have.
            persistent_workers=workers > 0 and getattr(items, "draws_by_epoch", True),
            worker_init_fn=stopping.leave_to_parent,
            generator=self._generator,
        )
        net.to(memory_format=torch.channels_last)  # before several processes agree on how gradients lie in memory
        self.scaler = torch.amp.GradScaler(accelerator.device.type) if half is torch.float16 else None
        model, optimizer = LossOfBatch(net, head, half), make_optimizer(net, head, recipe)
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        # Photos that can't be read may leave one process without a batch while others have theirs.
        self._batches_may_lack = accelerator.num_processes > 1 and items.on_error == "skip"

    def begin(self, epoch: int) -> None:
        """Draw what is left to chance in an epoch, counted from 0: its batches, its augmentations, its dropout."""
        seed = mixed_seed(self.seed, epoch, self.accelerator.process_index)
        torch.manual_seed(seed)
        self._generator.manual_seed(seed)
        self.batches.set_epoch(epoch)
        self.items.set_epoch(epoch)
        drawn = self.batches.digest if isinstance(self.batches, SampledBatches) else ""
        if self.accelerator.num_processes > 1 and len(set(gather_object([drawn]))) > 1:
            raise WhalereidError(
                "batches: its sampler gives each process other batches; let it depend on its arguments and on NumPy's, "
                "torch's or Python's global generator alone, which are seeded alike."
            )

    def take(self, epoch: int, display: TrainingProgress) -> StepsTaken:
        """Take the steps of an epoch that has begun."""
        device, recipe = self.accelerator.device, self.recipe
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        total, count, shown = torch.zeros((), device=device), 0, 0.0
        watched = WatchedBatches(self.loader, device)
        self.model.train()
        self.net.to(memory_format=torch.channels_last)  # each epoch anew: `embed` gives it back in the plain format
        with depthwise_in_float32(self.net) if device.type == "cpu" else nullcontext():
            for step, (images, labels, rows) in enumerate(watched):
                stopping.check()
                if not self._all_have(len(rows)):
                    continue
                factor = recipe.schedule.factor(epoch + step / len(self.batches), recipe.epochs)
                for group in self.optimizer.param_groups:
                    group["lr"] = group["peak"] * factor
                loss = self.model(images.to(device, non_blocking=True), labels.to(device, non_blocking=True))
                self._step(loss, parameters)
                total += loss.detach() * len(rows)
                count += len(rows)
                if time.monotonic() - shown > _SHOW_EVERY:
                    # Of several processes one alone must not stop: all do at the epoch's end.
                    alone = self.accelerator.num_processes == 1
                    mean = self._finite(total, count, epoch) if alone else float(total) / count
                    shown = time.monotonic()
                display.step(len(rows) * self.accelerator.num_processes, mean)
        if not count:
            raise WhalereidError("no training photo could be read; `whalereid check` lists what is wrong with them.")
        if not all(bool(p.isfinite().all()) for p in parameters):
            total = total * float("nan")
        own = torch.tensor([count, watched.waited, watched.taken], dtype=total.dtype, device=device)
        both = self.accelerator.reduce(torch.cat([total[None], own]), "sum")
        return StepsTaken(self._finite(both[0], float(both[1]), epoch), float(both[2] / both[3]))

    def _step(self, loss: Tensor, parameters: list[nn.Parameter]) -> None:
        """Move the weights down the gradient of this loss."""
        scaler, optimizer = self.scaler, self.optimizer
        optimizer.zero_grad()
        self.accelerator.backward(loss if scaler is None else scaler.scale(loss))
        if scaler is not None:
            scaler.unscale_(optimizer.optimizer)
        if self.recipe.clip is not None:
            self.accelerator.clip_grad_norm_(parameters, self.recipe.clip)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer.optimizer)
            scaler.update()

    def _all_have(self, n: int) -> bool:
        """Whether this step can be taken, by all processes or by none: each waits for the others' gradients.

        Of a batch whose other photos were skipped nothing may be left, or one photo, which batch norm can't train on.
        """
        enough = n >= 2
        if not self._batches_may_lack:
            return enough
        having = self.accelerator.reduce(torch.tensor(float(enough), device=self.accelerator.device), "sum")
        return int(having) == self.accelerator.num_processes

    def _finite(self, total: Tensor, count: float, epoch: int) -> float:
        mean = float(total) / count
        if not math.isfinite(mean):
            raise DivergedError(
                f"epoch {epoch + 1}: the loss is {mean}, so the training has diverged and was stopped; train anew with "
                "a lower --lr or in --precision fp32 (the folder keeps the epochs before)."
            )
        return mean
