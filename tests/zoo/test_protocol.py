import csv
import json
import re

import pytest

from fasttransfer.cli.evaluate import PROGRAM, main
from fasttransfer.cli.program import Typed
from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.field_metrics import MetricSettings
from fasttransfer.zoo.protocol import ProtocolSettings
from fasttransfer.zoo.protocol_tables import write_tables
from tests.helpers.photos import make_photo

USUAL = {
    "paintings": ["mosaic"],
    "photos": "bundled",
    "input": "bundled-probe",
    "count": 2,
    "size": 128,
    "output": "runs/evaluate",
    "budget": "5m",
    "steps": None,
    "training": [],
    "metrics": MetricSettings(None),
    "artfid": None,
    "device": "cpu",
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": 0}, "count=0"),
        ({"size": 10}, "size=10"),
        ({"steps": 0}, "steps=0"),
        ({"budget": "long"}, "budget=long is not a time"),
        ({"artfid": "missing.pth"}, "artfid=missing.pth is not a file"),
    ],
)
def test_what_cannot_be_used_is_refused(change, said):
    with pytest.raises(FastTransferError, match=re.escape(said)):
        ProtocolSettings(**(USUAL | change))


def test_artfid_takes_lpips_too(tmp_path):
    (tmp_path / "art.pth").touch()
    with pytest.raises(FastTransferError, match="AlexNet's weights are missing"):
        ProtocolSettings(**(USUAL | {"artfid": str(tmp_path / "art.pth")}))


def test_paintings_are_files_or_bundled_ones(tmp_path):
    first, second = (make_photo(tmp_path / folder / "a.jpg", 40, 40) for folder in ("x", "y"))
    paintings = [str(first), "mosaic", str(second)]
    found = ProtocolSettings(**(USUAL | {"paintings": paintings})).styles()
    assert found == {"a": str(first), "mosaic": "mosaic", "a-2": str(second)}
    for wrong in (["missing.jpg"], []):
        with pytest.raises(FastTransferError, match="painting"):
            ProtocolSettings(**(USUAL | {"paintings": wrong})).styles()


def test_tables_hold_means_and_spreads(tmp_path):
    rows = {
        "ink": {"one": {"ssim": 0.25, "johnson_style": 123_456}, "two": {"ssim": 0.75}},
        "oil, on wood": {"one": {"ssim": 1.0}, "two": {"ssim": 1.0}},
    }
    means, table = write_tables(tmp_path, rows, 12.5)
    assert means == {"ink": {"ssim": 0.5, "johnson_style": 123_456}, "oil, on wood": {"ssim": 1}}
    assert table.splitlines()[2:] == [
        "| ink | 123,000 | 0.500 ± 0.35 |",
        "| oil, on wood | – | 1.00 ± 0.0 |",
        "| all styles | 123,000 | 0.750 ± 0.35 |",
        "",
        "ArtFID of 4 pictures and 2 paintings: 12.50",
    ]
    assert (tmp_path / "results.md").read_text() == table
    assert json.loads((tmp_path / "results.json").read_text())["art_fid"] == 12.5
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [*csv.reader(file)][-1] == ["oil, on wood", "two", "1.0", ""]


@pytest.mark.slow
def test_a_protocol_from_a_painting_to_a_table(tmp_path):
    """Complete, then without a picture and with damaged scores: nothing is trained again."""
    small = ["data.crop_size=64", "style.size=96", "data.probe_size=96", "data.workers=0"]
    typed = PROGRAM.parse(["size=96", "count=2", "steps=2", "lpips=null", "engine=torch"])
    folder = tmp_path / "a [1], b"
    values = {
        "paintings": ["oil"],
        "output": str(folder),
        "training": [*small, "trainer.accelerator=cpu", "network=realtime", "loss.part=null"],
    }
    main(Typed(typed.overrides, values))
    table = (folder / "results.md").read_text()
    assert re.findall(r"^\| (\w+)", table, re.MULTILINE) == ["style", "oil", "all"]
    assert "SSIM" in table
    pictures = sorted((folder / "oil" / "pictures").glob("*.png"))
    assert len(pictures) == 2
    style, scores = folder / "oil" / "run" / "style.safetensors", folder / "oil" / "scores.json"
    trained, kept = style.stat().st_mtime_ns, json.loads(scores.read_text())
    pictures[0].unlink()
    scores.write_text("{")
    main(Typed(typed.overrides, values))
    assert pictures[0].is_file()
    assert style.stat().st_mtime_ns == trained
    for photo, found in json.loads(scores.read_text()).items():
        assert found["ssim"] == pytest.approx(kept[photo]["ssim"])
