"""How far is a trained network from the best that its objective allows?

Johnson et al. 2016 (section 4.1) compare their networks with the slow method: how many iterations of
L-BFGS achieve the objective that the network achieves in one pass. That number, and what the slow
method achieves in the end, are found here for one picture.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from rich.console import Console
from torch import Tensor

from ..core.errors import shown_name
from ..losses.objectives import OBJECTIVES
from ..losses.perceptual import StyleObjective
from .scores import Scores
from .slow_method import first_picture, optimize
from .slow_settings import STARTS, PixelSettings

HISTORY = 20  # steps that L-BFGS keeps


@dataclass(frozen=True)
class SlowBaseline:
    """What the slow method achieves with one photo and one style image.

    Attributes:
        traces: for each of ``OBJECTIVES`` and each of ``STARTS``, the objective at the start and after
            every iteration.
        terms: for each objective, its terms after the last iteration from noise.
    """

    traces: dict[tuple[str, str], list[float]]
    terms: dict[str, Scores]

    @classmethod
    def find(
        cls, content: Tensor, objectives: Mapping[str, StyleObjective], iterations: int
    ) -> "SlowBaseline":
        """Runs the slow method under every objective from every start.

        Args:
            content: the photo, (3, H, W) in [0, 1].
            objectives: for the style, by name; their device is used.
            iterations: of L-BFGS each.
        """
        traces: dict[tuple[str, str], list[float]] = {}
        terms: dict[str, Scores] = {}
        for name, objective in objectives.items():
            photo = content[None].to(objective.loss.features.mean.device)
            for start in STARTS:
                begin = first_picture(start, photo)
                found = [*optimize(begin, photo, objective, _settings(iterations))]
                with torch.no_grad():  # the picture is the same object each time
                    last = objective(found[-1][0], photo)
                traces[name, start] = [*(total for _, total in found), last["total"].item()]
                if start == "noise":
                    terms[name] = {term: value.item() for term, value in last.items()}
        return cls(traces, terms)

    def compared(self, scores: Scores) -> Scores:
        """How a stylized picture with these ``scores`` compares with it.

        Returns:
            For each objective: ``OBJECTIVE_times_limit``, its total as a multiple of the lowest one from
            noise; ``OBJECTIVE_iterations_START``, after how many iterations the slow method is as low,
            infinity if it never is; and ``OBJECTIVE_limit_TERM``, each term of its last picture.
        """
        found = {}
        for name in OBJECTIVES:
            total = scores[f"{name}_total"]
            found[f"{name}_times_limit"] = total / min(self.traces[name, "noise"])
            for start in STARTS:
                trace = self.traces[name, start]
                reached = (float(n) for n, value in enumerate(trace) if value <= total)
                found[f"{name}_iterations_{start}"] = next(reached, math.inf)
            found |= {f"{name}_limit_{term}": value for term, value in self.terms[name].items()}
        return found


class SlowBaselines:
    """Baselines for photos and style images.

    Each is computed once: it is the same for every style that was trained for one style image.

    Args:
        iterations: of L-BFGS for each objective and start.
        console: where it reports that the slow method is running.
    """

    def __init__(self, iterations: int, console: Console) -> None:
        self._iterations = iterations
        self._console = console
        self._found: dict[tuple[str, str], SlowBaseline] = {}

    def of(
        self, name: str, photo: Tensor, objectives: Mapping[str, StyleObjective]
    ) -> SlowBaseline:
        """The baseline for a photo (3, H, W) called ``name`` and the objectives for a style."""
        values = [v.double().sum().item() for o in objectives.values() for v in o.target.buffers()]
        key = (str(values), f"{name} {photo.shape}")
        if key not in self._found:
            runs = f"{len(OBJECTIVES) * len(STARTS)} × {self._iterations} iterations"
            text = f"running the slow method on {shown_name(name)}: {runs} …"
            self._console.print(text, markup=False)
            self._found[key] = SlowBaseline.find(photo, objectives, self._iterations)
        return self._found[key]


def _settings(iterations: int) -> PixelSettings:
    return PixelSettings(
        method="lbfgs",
        iterations=iterations,
        history=HISTORY,
        lr=1.0,
        start="noise",
        coarsest=1,
        intermediate=None,
        every=1,
    )
