"""Plots held-out objectives."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt

Curve = Mapping[float, float]  # the objective at steps or seconds


def draw(curves: Mapping[str, Curve], over: str, file: Path) -> None:
    """Plots a curve for each training ``over`` steps or seconds, on logarithmic axes."""
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for name, curve in curves.items():
        axes.plot(list(curve), list(curve.values()), marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel=over, ylabel="objective, held-out photos")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=100)
