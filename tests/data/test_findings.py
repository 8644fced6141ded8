import pytest

from fasttransfer.data.findings import Findings


@pytest.mark.parametrize("text", ["", "[]", '{"min_side": 32', "[" * 9999, '{"photos": 3}'])
def test_damaged_findings_are_none(text, tmp_path):
    (tmp_path / "photos.json").write_text(text)
    assert Findings.read(tmp_path / "photos.json", 32, 10**6).photos == {}
