"""The page of an evaluation, as text."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.columns import Column
from fasttransfer.evaluation.page import ComparisonReport, page_of, write_page
from tests.helpers.reports import (
    BLUE,
    ODD,
    report,
)


class Scripts(HTMLParser):
    """What a parser of HTML takes for scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = False
        self.found: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script"
        self.found += [""] * self.inside

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data


def data_in(page: str) -> dict[str, Any]:
    told, _ = Scripts(page).found
    return json.loads(told)


def test_the_data_of_the_page():
    data = data_in(page_of(report()))
    assert data["styles"] == [
        {"name": "wood", "scores": [4.0, 80.0, 3.0]},
        {"name": "ink", "scores": [5.0, 20.0, 7.0]},
        {"name": "sand", "scores": [4.5, None, None]},
    ]
    first, second = data["photos"]
    assert (first["width"], first["height"]) == (90, 60)
    assert [version["style"] for version in first["versions"]] == [0, 1]
    assert [version["scores"] for version in second["versions"]] == [[None, None, None]]
    kind, picture = first["versions"][1]["picture"].split(",")
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    assert (kind, image.format, image.size) == ("data:image/jpeg;base64", "JPEG", (45, 30))
    assert image.getpixel((20, 20)) == pytest.approx(BLUE, abs=3)


@settings(deadline=None, max_examples=100)
@given(st.text() | st.sampled_from(ODD), st.floats())
def test_any_name_and_number_comes_through(name, number):
    columns = [Column(name, name, name)]
    data = data_in(page_of(ComparisonReport(name, columns, {name: {name: number}}, [])))
    assert data["title"] == data["columns"][0]["label"] == data["styles"][0]["name"] == name
    [score] = data["styles"][0]["scores"]
    expected = None if number == -inf or number != number else number
    assert score == ("never" if number == inf else expected)


def test_nothing_is_loaded_from_elsewhere():
    page = page_of(report())
    assert not re.search(r"https?:|url\(|@import|<link(?! rel=\"icon\" href=\"data:,\")", page)
    assert set(re.findall(r'\b(?:src|href)="([^"]*)"', page)) == {"data:,"}


def test_a_page_appears_whole_or_not_at_all(tmp_path):
    write_page(tmp_path / "new" / "page.html", report())
    assert (tmp_path / "new" / "page.html").read_text("utf-8") == page_of(report())
    (tmp_path / "folder").mkdir()
    with pytest.raises(FastTransferError, match="folder cannot be written"):
        write_page(tmp_path / "folder", report())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "new", "page.html"]
