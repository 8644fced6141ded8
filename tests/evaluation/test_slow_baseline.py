import math

import pytest
import torch

from fasttransfer.data.style_image import StyleImage
from fasttransfer.evaluation.scores import Scorer
from fasttransfer.evaluation.slow_baseline import SlowBaseline
from fasttransfer.models.vgg import VGG16Features


def test_figures_by_hand():
    limit = SlowBaseline(
        {
            ("balanced", "photo"): [8.0, 4.0, 3.0],
            ("balanced", "noise"): [16.0, 5.0, 2.5],
            ("johnson", "photo"): [90.0, 50.0, 40.0],
            ("johnson", "noise"): [100.0, 60.0, 20.0],
        },
        {"balanced": {"content": 1.5, "total": 2.5}, "johnson": {"total": 20.0}},
    )
    found = limit.compared({"balanced_total": 5.0, "johnson_total": 10.0})
    assert found["balanced_times_limit"] == 2  # of the lowest from noise
    assert found["balanced_iterations_photo"] == 1
    assert found["balanced_iterations_noise"] == 1
    assert found["johnson_times_limit"] == 0.5
    assert found["balanced_limit_content"] == 1.5
    assert found["johnson_limit_total"] == 20
    assert found["johnson_iterations_photo"] == found["johnson_iterations_noise"] == math.inf


@pytest.mark.slow
def test_the_slow_method_gets_below_the_photo_itself():
    torch.manual_seed(2)
    photo = torch.rand(3, 40, 32)
    style = StyleImage("mosaic", size=64, name=None, license=None, strength=1).image
    scorer = Scorer(style, VGG16Features("bundled"))
    limit = SlowBaseline.find(photo, scorer.objectives, iterations=5)
    assert len(limit.traces) == 4
    for trace in limit.traces.values():
        assert len(trace) == 6
        assert trace[-1] < trace[0]
    begin = {name: limit.traces[name, "photo"][0] for name in ("balanced", "johnson")}
    found = limit.compared({f"{name}_total": total for name, total in begin.items()})
    assert found["balanced_iterations_photo"] == 0
    assert found["balanced_times_limit"] > 1
    for name in begin:
        assert found[f"{name}_limit_total"] == limit.traces[name, "noise"][-1]
