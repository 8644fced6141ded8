"""How far is a trained network from the best that its objective allows?

Johnson et al. 2016 (section 4.1) compare their networks with the slow method: how many iterations of
L-BFGS reach the objective that the network reaches in one pass. That number, and what the slow method
reaches in the end, are found here for one picture.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..losses.objectives import OBJECTIVES, make_objective
from ..models.vgg import VGG16Features
from .scores import Scores
from .slow_method import STARTS, first_picture, optimize

HISTORY = 20  # steps that L-BFGS remembers


@dataclass(frozen=True)
class SlowBaseline:
    """What the slow method does with one photo and one style image.

    Attributes:
        traces: for each of ``evaluate.OBJECTIVES`` and each of ``optimize.STARTS`` the objective at the
            start and after every iteration.
        terms: for each objective those of ``PerceptualLoss`` after the last iteration from noise.
    """

    traces: dict[tuple[str, str], list[float]]
    terms: dict[str, Scores]

    @classmethod
    def find(
        cls, content: Tensor, style: Tensor, features: VGG16Features, iterations: int
    ) -> "SlowBaseline":
        """Runs the slow method under every objective from every start.

        Args:
            content: the photo, (3, H, W) in [0, 1].
            style: the style image, (1, 3, H, W) in [0, 1].
            features: the loss network; its device is used.
            iterations: of L-BFGS each.
        """
        device = features.mean.device
        photo = content[None].to(device)
        traces = {}
        terms = {}
        for name in OBJECTIVES:
            objective = make_objective(name, features).for_style(style.to(device))
            for start in STARTS:
                steps = optimize(
                    first_picture(start, photo),
                    photo,
                    objective,
                    "lbfgs",
                    iterations,
                    HISTORY,
                    lr=1.0,
                )
                found = list(steps)  # the picture is the same one each time, as it is in the end
                with torch.no_grad():
                    last = objective(found[-1][0], photo)
                traces[name, start] = [*(total for _, total in found), last["total"].item()]
                if start == "noise":
                    terms[name] = {term: value.item() for term, value in last.items()}
        return cls(traces, terms)

    def compared(self, scores: Scores) -> Scores:
        """How a stylized picture with these ``scores`` stands to it.

        Returns:
            For each objective ``OBJECTIVE_times_limit``, its total as a multiple of the lowest one from
            noise; ``OBJECTIVE_iterations_START``, how many iterations reach it, infinity where none of
            them does; and ``OBJECTIVE_limit_TERM``, each term of the slow method's picture.
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
