import torch

from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.training.callbacks import read_scores, stylize


def test_probe_photos_are_shown_as_a_file_would_be():
    network = TransformerNet([4], 1, 3, 1, False)
    with torch.no_grad():
        network.head[0].bias.fill_(3.0)
    shown = stylize(network, torch.rand(3, 9, 11), torch.device("cpu"))
    assert shown.shape == (3, 9, 11)
    assert not shown.requires_grad
    assert shown.max() == 1


def test_half_a_line_is_no_score(tmp_path):
    path = tmp_path / "scores.jsonl"
    assert read_scores(path) == {}
    path.write_text('{"step": 5, "grid": 0.5}\n{"step": 10, "gr')
    assert read_scores(path) == {5: {"grid": 0.5}}
