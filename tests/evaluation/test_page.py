"""The page of an evaluation, as text and in a real browser."""

import base64
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from fasttransfer.core.errors import FastTransferError
from fasttransfer.evaluation.columns import Column
from fasttransfer.evaluation.page import ComparedPhoto, ComparisonReport, page_of, write_page
from tests.helpers.chromium import BROWSER, Page, open_page

RED, GREEN, BLUE, GREY = (200, 0, 0), (0, 160, 0), (0, 0, 220), (128, 128, 128)
COLUMNS = [
    Column("objective", "objective", "What is trained."),
    Column("milliseconds", "ms"),
    Column("likes", "likes", more_is_better=True),
]
ODD = [
    "</script><script>document.title = 'run'</script>",
    "<!--<script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    "__proto__",
    "'\"`${1}$report\\",
    "& &amp; \u2028 \u202eabc \ud800 漢字",
    "long" * 100,
]
NEVER = {"wood": {"likes": 7.0}, "ink": {"likes": inf}, "sand": {}}
needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")


def plain(colour: tuple[int, int, int], height: int = 60, width: int = 90) -> Tensor:
    return (torch.tensor(colour) / 255)[:, None, None].expand(3, height, width)


def report() -> ComparisonReport:
    """Two styles over two photos; one style has not been scored on the second."""
    scores = {
        "wood": {"objective": 4.0, "milliseconds": 80.0, "likes": 3.0, "other": 1.0},
        "ink": {"objective": 5.0, "milliseconds": 20.0, "likes": 7.0},
    }
    first = ComparedPhoto(
        "first", plain(RED), {"wood": plain(GREEN), "ink": plain(BLUE, 30, 45)}, scores
    )
    second = ComparedPhoto("second", plain(GREY, 90, 60), {"ink": plain(BLUE, 90, 60)}, {})
    means = {"wood": scores["wood"], "ink": scores["ink"], "sand": {"objective": 4.5, "likes": nan}}
    return ComparisonReport("Styles compared", COLUMNS, means, [first, second])


def odd_report() -> ComparisonReport:
    stylized = {name: plain(GREEN) for name in ODD}
    scores = {name: {"objective": float(number)} for number, name in enumerate(ODD)}
    columns = [Column("objective", name, name) for name in ODD]
    return ComparisonReport(
        ODD[0], columns, scores, [ComparedPhoto(n, plain(RED), stylized, {}) for n in ODD]
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


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, Path]]:
    folder = tmp_path_factory.mktemp("page")
    write_page(folder / "page.html", report())
    write_page(folder / "odd.html", odd_report())
    write_page(folder / "never.html", ComparisonReport("Never", COLUMNS[2:], NEVER, []))
    with open_page((folder / "page.html").as_uri()) as page:
        page.window(900, 700)
        yield page, folder


@pytest.fixture
def page(browser: tuple[Page, Path]) -> Iterator[Page]:
    """As it is when it has just been opened."""
    page, folder = browser
    opened(page, folder / "page.html")
    yield page
    assert page.problems == []


def opened(page: Page, path: Path) -> None:
    page.run("window.old = true")
    page.call("Page.navigate", url=path.as_uri())
    page.until("!window.old && document.readyState == 'complete' && window.handle?.ariaValueNow")


def box(page: Page) -> list[float]:
    """Left, top, width and height of the picture on the screen."""
    return page.run("(b => [b.x, b.y, b.width, b.height])(picture.getBoundingClientRect())")


def seen(page: Page, folder: Path) -> list[tuple[int, int, int]]:
    """The colours a tenth of the picture's width from its left, and from its right."""
    left, top, width, height = box(page)
    page.screenshot(folder / "seen.png")
    image = Image.open(folder / "seen.png").convert("RGB")
    return [image.getpixel((left + share * width, top + height / 3)) for share in (0.1, 0.9)]


def choose(page: Page, side: str, name: str) -> None:
    page.run(
        f"""{{ const list = document.getElementById('choose-{side}');
        list.value = [...list.options].find((one) => one.text == '{name}').value;
        list.dispatchEvent(new Event('change')); }}"""
    )


def wiped(page: Page) -> int:
    return int(page.run("document.getElementById('handle').ariaValueNow"))


def rows(page: Page) -> list[str]:
    return page.run("[...document.querySelectorAll('tbody th')].map((cell) => cell.textContent)")


@needs_browser
def test_versions_are_chosen(page, tmp_path):
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (RED, GREEN)]
    choose(page, "right", "ink")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (RED, BLUE)]
    choose(page, "left", "wood")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (GREEN, BLUE)]
    told = "document.getElementById('scores-left').innerText.split(/\\s+/)"
    assert page.run(told) == ["objective", "4.00", "ms", "80.0", "likes", "3.00"]
    best = "[...document.querySelectorAll('.side .best')].map((one) => one.innerText)"
    assert [text.split() for text in page.run(best)] == [
        ["objective", "4.00"],
        ["ms", "20.0"],
        ["likes", "7.00"],
    ]
    page.run("document.getElementById('swap').click()")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (BLUE, GREEN)]
    choose(page, "right", "ink")  # is on the left, so that they change places
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (GREEN, BLUE)]


@needs_browser
def test_photos_are_chosen_by_key_and_button(page, tmp_path):
    page.run("document.querySelector('#photos [aria-checked=true]').focus()")
    page.press("ArrowRight")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (GREY, BLUE)]
    options = "[...document.getElementById('choose-right').options].map((one) => one.text)"
    assert page.run(options) == ["Photo", "ink"]
    _, _, width, height = box(page)
    assert width / height == pytest.approx(60 / 90, rel=0.01)
    page.run("document.querySelector('#photos button').click()")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (RED, BLUE)]


@needs_browser
def test_the_wipe_is_dragged_and_moved_by_keys(page, tmp_path):
    left, top, width, height = box(page)
    page.mouse("mousePressed", left + width / 2, top + height / 2)
    page.mouse("mouseMoved", left + width * 0.95, top + height / 2)
    page.mouse("mouseReleased", left + width * 0.95, top + height / 2)
    page.mouse("mouseMoved", left + width / 2, top + height / 2)  # is not held any more
    assert wiped(page) == 95
    assert seen(page, tmp_path) == [pytest.approx(RED, abs=3)] * 2
    for key, expected in (("ArrowLeft", 93), ("PageDown", 83), ("Home", 0), ("ArrowUp", 2)):
        page.press(key)  # the handle has the focus
        assert wiped(page) == expected
    assert seen(page, tmp_path) == [pytest.approx(GREEN, abs=3)] * 2


@needs_browser
def test_the_wipe_is_touched(page):
    left, top, width, height = box(page)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    at = {"x": left + width / 2, "y": top + height / 2}
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[at])
    for share in (0.4, 0.3, 0.2):
        moved = at | {"x": left + share * width}
        page.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[moved])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.until("document.getElementById('handle').ariaValueNow == 20")
    page.call("Emulation.setTouchEmulationEnabled", enabled=False)


@needs_browser
def test_the_table_is_sorted_and_shows_the_best(page, tmp_path):
    assert rows(page) == ["wood", "ink", "sand"]
    best = "[...document.querySelectorAll('td b')].map((one) => one.textContent)"
    assert page.run(best) == ["4.00", "20.0", "7.00"]
    headings = "document.querySelectorAll('thead button')"
    state = "[...document.querySelectorAll('thead th')].map((one) => one.ariaSort)"
    for column, order, told in (
        (1, ["wood", "sand", "ink"], [None, "ascending", None, None]),
        (1, ["ink", "sand", "wood"], [None, "descending", None, None]),
        (2, ["ink", "wood", "sand"], [None, None, "ascending", None]),
        (2, ["wood", "ink", "sand"], [None, None, "descending", None]),  # what is missing is last
        (3, ["ink", "wood", "sand"], [None, None, None, "descending"]),  # more is better
        (0, ["ink", "sand", "wood"], ["ascending", None, None, None]),
    ):
        page.run(f"{headings}[{column}].click()")
        assert rows(page) == order
        assert page.run(state) == told
    page.run(
        "[...document.querySelectorAll('tbody button')].find((b) => b.textContent == 'ink').click()"
    )
    assert seen(page, tmp_path)[1] == pytest.approx(BLUE, abs=3)


@needs_browser
def test_odd_names_are_shown_as_they_are(browser):
    page, folder = browser
    opened(page, folder / "odd.html")
    shown = [name.replace("\ud800", "\ufffd") for name in ODD]  # as the protocol brings it
    assert page.run("document.getElementById('title').textContent.toWellFormed()") == shown[0]
    assert page.run("document.title") == shown[0]
    for texts in ("tbody th", "thead th:not(:first-child)", "#photos span", "#meanings dt"):
        found = (
            f"[...document.querySelectorAll('{texts}')].map((e) => e.textContent.toWellFormed())"
        )
        assert page.run(found) == shown
    options = (
        "[...document.getElementById('choose-right').options].map((e) => e.label.toWellFormed())"
    )
    assert len(page.run(options)) == len(ODD) + 1
    assert page.run(
        "[document.scripts.length, document.querySelectorAll('img[src=x]').length]"
    ) == [
        2,
        0,
    ]
    assert page.problems == []


@needs_browser
@pytest.mark.parametrize("file", ["page.html", "odd.html"])
def test_everything_has_a_name_and_fits_a_phone(browser, file):
    page, folder = browser
    opened(page, folder / file)
    nameless = """[...document.querySelectorAll('button, select, [role=slider]')].filter(
      e => !(e.textContent.trim() || e.ariaLabel || e.labels?.[0]?.textContent.trim())).length"""
    assert page.run(nameless) == 0
    for width, height in ((360, 640), (640, 360), (1600, 900)):
        page.window(width, height)
        page.until(f"innerWidth == {width}")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run("picture.getBoundingClientRect().height > 100")
    page.window(900, 700)


@needs_browser
def test_an_empty_report_says_so(browser, tmp_path):
    page, _ = browser
    write_page(tmp_path / "empty.html", ComparisonReport("Nothing", COLUMNS, {}, []))
    page.call("Page.navigate", url=(tmp_path / "empty.html").as_uri())
    page.until("document.title == 'Nothing'")
    assert page.run("document.getElementById('summary').textContent") == "0 styles on 0 photos"
    assert page.run("document.getElementById('comparison').hidden")
    assert page.problems == []


@needs_browser
def test_the_best_is_one_of_those_that_are_comparable(browser):
    """What has no photo in common was made at another size."""
    page, folder = browser
    means = {
        name: {"objective": score}
        for name, score in {"a at 1": 3.0, "b at 1": 4.0, "a at 2": 6.0, "b at 2": 5.0}.items()
    }
    photos = [
        ComparedPhoto(f"at {n}", plain(RED), {f"{s} at {n}": plain(BLUE) for s in "ab"}, {})
        for n in (1, 2)
    ]
    write_page(folder / "sizes.html", ComparisonReport("Sizes", COLUMNS[:1], means, photos))
    opened(page, folder / "sizes.html")
    best = "[...document.querySelectorAll('td b')].map((one) => one.textContent)"
    assert page.run(best) == ["3.00", "5.00"]
    assert page.problems == []


@needs_browser
def test_what_is_never_reached_is_the_most(browser):
    page, folder = browser
    opened(page, folder / "never.html")
    cells = "[...document.querySelectorAll('tbody td')].map((cell) => cell.innerHTML)"
    assert page.run(cells) == ["7.00", '<b title="best in this column">never</b>', "–"]
    page.run("document.querySelector('thead th:last-child button').click()")
    assert rows(page) == ["ink", "wood", "sand"]
    assert page.problems == []
