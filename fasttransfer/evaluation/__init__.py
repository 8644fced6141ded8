"""Measures how good a style is."""

from typing import TYPE_CHECKING

from ..core.lazy import lazy

if TYPE_CHECKING:
    from .comparison import compare
    from .flicker import Flicker, measure_flicker
    from .page import write_page
    from .scores import Scorer, Scores, mean_scores, score
    from .slow_baseline import SlowBaseline
    from .slow_method import optimize
    from .slow_stylizer import SlowStylizer
    from .style_evaluator import StyleEvaluator

__all__ = [
    "Flicker",
    "Scorer",
    "Scores",
    "SlowBaseline",
    "SlowStylizer",
    "StyleEvaluator",
    "compare",
    "mean_scores",
    "measure_flicker",
    "optimize",
    "score",
    "write_page",
]

__getattr__ = lazy(
    __name__,
    {
        "Flicker": "flicker",
        "Scorer": "scores",
        "Scores": "scores",
        "SlowBaseline": "slow_baseline",
        "SlowStylizer": "slow_stylizer",
        "StyleEvaluator": "style_evaluator",
        "compare": "comparison",
        "mean_scores": "scores",
        "measure_flicker": "flicker",
        "optimize": "slow_method",
        "score": "scores",
        "write_page": "page",
    },
)
