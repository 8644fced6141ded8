"""The page of an evaluation in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fasttransfer.evaluation.page import ComparedPhoto, ComparisonReport, write_page
from tests.helpers.chromium import BROWSER, Page, open_page
from tests.helpers.reports import (
    BLUE,
    COLUMNS,
    GREEN,
    GREY,
    NEVER,
    ODD,
    RED,
    odd_report,
    plain,
    report,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here"),
]


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
    """The colors a tenth of the picture's width from its left, and from its right."""
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


def test_versions_are_chosen(page, tmp_path):
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (RED, GREEN)]
    choose(page, "right", "ink")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (RED, BLUE)]
    choose(page, "left", "wood")
    assert seen(page, tmp_path) == [pytest.approx(c, abs=3) for c in (GREEN, BLUE)]
    shown = "document.getElementById('scores-left').innerText.split(/\\s+/)"
    assert page.run(shown) == ["objective", "4.00", "ms", "80.0", "likes", "3.00"]
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


def test_the_table_is_sorted_and_shows_the_best(page, tmp_path):
    assert rows(page) == ["wood", "ink", "sand"]
    best = "[...document.querySelectorAll('td b')].map((one) => one.textContent)"
    assert page.run(best) == ["4.00", "20.0", "7.00"]
    headings = "document.querySelectorAll('thead button')"
    state = "[...document.querySelectorAll('thead th')].map((one) => one.ariaSort)"
    for column, order, sorting in (
        (1, ["wood", "sand", "ink"], [None, "ascending", None, None]),
        (1, ["ink", "sand", "wood"], [None, "descending", None, None]),
        (2, ["ink", "wood", "sand"], [None, None, "ascending", None]),
        (2, ["wood", "ink", "sand"], [None, None, "descending", None]),  # what is missing is last
        (3, ["ink", "wood", "sand"], [None, None, None, "descending"]),  # more is better
        (0, ["ink", "sand", "wood"], ["ascending", None, None, None]),
    ):
        page.run(f"{headings}[{column}].click()")
        assert rows(page) == order
        assert page.run(state) == sorting
    page.run(
        "[...document.querySelectorAll('tbody button')].find((b) => b.textContent == 'ink').click()"
    )
    assert seen(page, tmp_path)[1] == pytest.approx(BLUE, abs=3)


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


def test_an_empty_report_says_so(browser, tmp_path):
    page, _ = browser
    write_page(tmp_path / "empty.html", ComparisonReport("Nothing", COLUMNS, {}, []))
    page.call("Page.navigate", url=(tmp_path / "empty.html").as_uri())
    page.until("document.title == 'Nothing'")
    assert page.run("document.getElementById('summary').textContent") == "0 styles on 0 photos"
    assert page.run("document.getElementById('comparison').hidden")
    assert page.problems == []


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


def test_what_is_never_reached_is_the_most(browser):
    page, folder = browser
    opened(page, folder / "never.html")
    cells = "[...document.querySelectorAll('tbody td')].map((cell) => cell.innerHTML)"
    assert page.run(cells) == ["7.00", '<b title="best in this column">never</b>', "–"]
    page.run("document.querySelector('thead th:last-child button').click()")
    assert rows(page) == ["ink", "wood", "sand"]
    assert page.problems == []
