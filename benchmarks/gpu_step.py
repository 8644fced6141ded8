"""A whole training step as one CUDA graph, for ``gpu_zoo.py``.

A step of ``train.py`` on a GPU is bound by the launches of some 1,500 kernels. Here photos are decoded
once into a bank of crops on the device, nothing waits for the host, and several networks are trained
side by side on streams of their own. The loss is that of ``conf/loss/balanced.yaml``, for one batch.
"""

import gc
import time
from collections.abc import Sequence
from typing import Any

import torch
from gpu_parts import (
    AVERAGED_PART,
    BatchLoss,
    DeviceMuon,
    Recipe,
    empty_targets,
    norm_of_each,
)
from torch import Tensor, nn
from torch.func import functional_call

from fasttransfer.models.transformer_net import InstanceNorm, TransformerNet


def schedule(steps: int, lr: float) -> Tensor:
    """Learning rates of ``conf/scheduler/cosine.yaml``, (steps,)."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=lr,
        pct_start=0.05,
        anneal_strategy="cos",
        cycle_momentum=False,
        total_steps=steps + 1,
    )
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(rates)


class StyleTable:
    """Scales and shifts of every norm for each style of a base, with Adam's averages for each row."""

    def __init__(self, network: TransformerNet, styles: int) -> None:
        norms = [
            name for name, module in network.named_modules() if isinstance(module, InstanceNorm)
        ]
        self.names = [f"{name}.{kind}" for name in norms for kind in ("weight", "bias")]
        parameters = dict(network.named_parameters())
        self.own = [parameters[name] for name in self.names]
        self.sizes = [parameter.numel() for parameter in self.own]
        row = torch.cat([parameter.detach() for parameter in self.own])
        self.values = row.repeat(styles, 1)
        self.averaged = torch.zeros_like(self.values)
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.count = torch.zeros(styles, 1, device=row.device)

    @torch.no_grad()
    def reset(self) -> None:
        """Every style starts with the network's own."""
        row = torch.cat([parameter.detach() for parameter in self.own])
        self.values.copy_(row.expand_as(self.values))
        for value in (self.mean, self.square, self.count):
            value.zero_()

    def rows(self, turn: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The rows of the styles of a batch, and these as arguments of ``functional_call``."""
        mine = self.values.index_select(0, turn).requires_grad_()
        return mine, dict(zip(self.names, torch.split(mine, self.sizes, dim=1), strict=True))

    @torch.no_grad()
    def step(self, turn: Tensor, gradient: Tensor, lr: Tensor, share: Tensor) -> None:
        """Adam's step for these rows, and the average."""
        mean = self.mean.index_select(0, turn).lerp(gradient, 0.1)
        square = self.square.index_select(0, turn).lerp(gradient.square(), 0.01)
        count = self.count.index_select(0, turn) + 1
        step = (mean / (1 - 0.9**count)) / ((square / (1 - 0.99**count)).sqrt() + 1e-8)
        new = self.values.index_select(0, turn) - lr * step
        pairs = ((self.mean, mean), (self.square, square), (self.count, count), (self.values, new))
        for table, rows in pairs:
            table.index_copy_(0, turn, rows)
        self.averaged.lerp_(self.values, share)

    def mean_of_all(self) -> dict[str, Tensor]:
        """The mean of what is each style's own."""
        parts = torch.split(self.averaged.mean(0), self.sizes)
        return {name: part.clone() for name, part in zip(self.names, parts, strict=True)}


class Stepper:
    """A network, its loss and its optimizer; ``together`` replays the steps of several.

    Args:
        config: of the network.
        bank: crops as bytes, (N, size, size, 3), on the device.
        recipe: sizes.
        styles: above 1, every crop of a batch has another style with norms of its own (a base).
        targets: of these, (styles, …) each; None for one style, which ``prepare`` gets.
    """

    def __init__(
        self,
        config: dict[str, Any],
        bank: Tensor,
        recipe: Recipe,
        styles: int = 1,
        targets: dict[str, Tensor] | None = None,
    ) -> None:
        InstanceNorm.forward = norm_of_each  # type: ignore[method-assign, assignment]
        self.bank, self.recipe = bank, recipe
        device = bank.device
        self.network = TransformerNet(**config).to(device)
        self.loss = BatchLoss(over_batch=styles == 1).to(device)
        self.table = StyleTable(self.network, styles) if styles > 1 else None
        own = {id(parameter) for parameter in self.table.own} if self.table else set()
        parameters = [p for p in self.network.parameters() if id(p) not in own]
        self.optimizer = DeviceMuon(parameters, momentum=0.95 if styles > 1 else 0.9)
        self.parameters: list[Tensor] = [*self.optimizer.kernels, *self.optimizer.others]
        self.averaged = [torch.zeros_like(p) for p in self.parameters]
        self.targets = targets or empty_targets(device)
        self._plan(styles, recipe.base_batch if styles > 1 else recipe.batch)
        self.graph: torch.cuda.CUDAGraph | None = None
        self.stream: torch.cuda.Stream | None = None
        self._terms: Tensor | None = None

    def _plan(self, styles: int, batch: int) -> None:
        """Crops, corners and styles of every step, so that nothing is drawn during one."""
        steps, device = self.recipe.most_steps, self.bank.device
        generator = torch.Generator().manual_seed(0)

        def shuffled(count: int, rounds: int) -> Tensor:
            """Permutations in batches; none has a number twice."""
            used = max(1, count // batch) * batch
            orders = [torch.randperm(count, generator=generator)[:used] for _ in range(rounds)]
            return torch.cat([order.view(-1, batch) for order in orders])[:steps].to(device)

        self.order = shuffled(len(self.bank), -(-steps * batch // len(self.bank)) + 1)
        side = self.bank.shape[1] - self.recipe.part + 1
        self.corners = torch.randint(0, side, (steps, 2), generator=generator).to(device)
        self.turns = shuffled(styles, steps) if styles > 1 else None
        self.step_number = torch.zeros(1, dtype=torch.long, device=device)
        self.rates = torch.zeros(steps, device=device)
        self.shares = torch.zeros(steps, device=device)

    def body(self) -> None:
        """One step."""
        number = self.step_number
        crops = self.bank.index_select(0, self.order.index_select(0, number)[0])
        content = crops.permute(0, 3, 1, 2).float() / 255
        corner = self.corners.index_select(0, number)[0]
        span = torch.arange(self.recipe.part, device=content.device)
        place = (corner[0] + span, corner[1] + span)
        target, wanted = self.targets, list(self.parameters)
        own: dict[str, Tensor] = {}
        turn = mine = None
        if self.table is not None and self.turns is not None:
            turn = self.turns.index_select(0, number)[0]
            mine, own = self.table.rows(turn)
            target = {name: value.index_select(0, turn) for name, value in self.targets.items()}
            wanted = [*self.parameters, mine]
        with torch.autocast(content.device.type, torch.bfloat16):
            stylized = functional_call(self.network, own, (content,))
        total, terms = self.loss(stylized, content, place, target)
        gradients = list(torch.autograd.grad(total, wanted))
        with torch.no_grad():
            length = torch.stack(torch._foreach_norm(gradients)).norm()
            gradients = list(torch._foreach_mul(gradients, (1 / (length + 1e-6)).clamp(max=1)))
            rate, share = (table.index_select(0, number)[0] for table in (self.rates, self.shares))
            self.optimizer.step(gradients[: len(self.parameters)], rate)
            away = torch._foreach_sub(self.parameters, self.averaged)
            torch._foreach_mul_(away, share)
            torch._foreach_add_(self.averaged, away)
            if self.table is not None and turn is not None:
                self.table.step(turn, gradients[-1], rate, share)
            self.step_number += 1
            self._terms = terms.detach()

    def capture(self) -> None:
        """Makes the graph, on a stream of its own; without CUDA nothing."""
        if self.bank.device.type != "cuda":
            return
        self._terms = None
        gc.collect()  # nodes of an earlier backward pass would tie the graph to another stream
        self.stream = stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.body()
                self._terms = None
            torch.cuda.synchronize()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=stream):
                self.body()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()

    @torch.no_grad()
    def prepare(
        self, state: dict[str, Tensor], steps: int, target: dict[str, Tensor] | None = None
    ) -> None:
        """Begins a run of ``steps`` from the weights ``state``."""
        self.network.load_state_dict(state)
        self.network.renew_scales()
        self.optimizer.reset()
        self.step_number.zero_()
        self.rates[:steps].copy_(schedule(steps, self.recipe.lr))
        self.shares[:steps].copy_(1 / (AVERAGED_PART * torch.arange(1, steps + 1)).clamp_min(1))
        for name, value in (target or {}).items():
            self.targets[name].copy_(value)
        if self.table is not None:
            self.table.reset()

    def terms(self) -> list[float]:
        """Of the last step, in ``BatchLoss``'s order."""
        assert self._terms is not None
        found: list[float] = self._terms.tolist()
        return found

    def result(self) -> dict[str, Tensor]:
        """The averaged weights."""
        names = {id(parameter): name for name, parameter in self.network.named_parameters()}
        state = {key: value.detach().clone() for key, value in self.network.state_dict().items()}
        pairs = zip(self.parameters, self.averaged, strict=True)
        state |= {names[id(parameter)]: value.clone() for parameter, value in pairs}
        return state | (self.table.mean_of_all() if self.table is not None else {})


def together(steppers: Sequence[Stepper], steps: int) -> float:
    """Steps of several side by side, each on its stream; the seconds that one of all takes."""
    cuda = steppers[0].graph is not None
    start = time.perf_counter()
    for number in range(1, steps + 1):
        for stepper in steppers:
            if stepper.graph is None:
                stepper.body()
            else:
                with torch.cuda.stream(stepper.stream):
                    stepper.graph.replay()
        if cuda and number % 25 == 0:
            torch.cuda.synchronize()
    if cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps
