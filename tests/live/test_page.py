"""The page in a real browser, against the moving pattern."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.helpers.chromium import BROWSER, Page, open_page
from tests.helpers.live import command

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here"),
]

# The canvas as a list of gray levels, to see whether and how the picture changes.
LEVELS = (
    """[...stylized.getContext('2d').getImageData(0, 0, stylized.width, stylized.height).data]"""
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, Path]]:
    folder = tmp_path_factory.mktemp("live")
    typed = ("input=camera:pattern", "output=saved")
    with command(folder, *typed) as (_, url), open_page(url) as page:
        page.window(1200, 800)
        yield page, folder / "saved"
        assert page.problems == []


@pytest.fixture
def page(opened: tuple[Page, Path]) -> Page:
    opened[0].until("window.drawn?.number > 1")
    return opened[0]


@pytest.fixture
def saved(opened: tuple[Page, Path]) -> Path:
    return opened[1]


def test_pictures_arrive_and_move(page: Page) -> None:
    assert page.run("[stylized.width, stylized.height]") == [64, 48]
    first = page.run(LEVELS)
    number = page.run("drawn.number")
    page.until(f"drawn.number > {number} + 3")
    assert page.run(LEVELS) != first
    assert max(first) > min(first)
    assert float(page.until("Number(document.getElementById('rate').textContent)")) > 0
    assert "ms" in page.run("document.getElementById('age').textContent")
    assert page.run("document.getElementById('waiting').hidden")


def test_styles_by_key_and_button(page: Page) -> None:
    buttons = "[...document.querySelectorAll('#styles [data-style]')]"
    assert page.run(f"{buttons}.map(b => b.textContent)") == ["1Wood", "2Ink"]
    page.until(f"{buttons}.every(b => b.firstChild.naturalWidth == 160)")  # their thumbnails
    page.press("2")
    page.until("drawn.style == 'ink'")
    assert page.run(f"{buttons}.map(b => b.getAttribute('aria-checked'))") == ["false", "true"]
    page.press("9")  # there is no ninth
    page.run(f"{buttons}[0].click()")
    page.until("drawn.style == 'wood'")


def test_two_styles_and_the_slider_between_them(page: Page) -> None:
    state = "fetch('/state').then(a => a.json()).then(s => [s.style, s.second, s.share])"
    assert page.run("mix.hidden")
    page.run("document.querySelector('[data-add=ink]').click()")
    page.until("!mix.hidden && drawn.second == 'ink' && drawn.share == 0.5")
    assert page.run("[first.textContent, second.textContent]") == ["Wood", "Ink"]
    page.run("share.value = 80; share.dispatchEvent(new Event('input'))")
    page.until("drawn.share == 0.8")
    page.press("ArrowLeft")
    page.until("drawn.share == 0.75")
    assert page.run(state) == ["wood", "ink", 0.75]
    page.press("0")
    page.until("mix.hidden && drawn.second === null")
    page.run("document.querySelector('[data-style=ink]').dispatchEvent("
             "new MouseEvent('click', { shiftKey: true, bubbles: true }))")  # fmt: skip
    page.until("!mix.hidden && drawn.second == 'ink'")
    page.press("2")  # a style alone
    page.until("mix.hidden && drawn.style == 'ink' && drawn.second === null")
    page.press("1")
    page.until("drawn.style == 'wood'")


def test_styles_are_searched(page: Page) -> None:
    shown = (
        "[...document.querySelectorAll('#styles > :not([hidden])')].map(b => b.firstChild.title)"
    )
    type_in = "search.value = '{}'; search.dispatchEvent(new Event('input'))"
    page.run("search.hidden = false; search.focus()")  # it hides where there are few styles
    for typed, found in (("K", ["Ink"]), ("steel", []), ("", ["Wood", "Ink"]), ("in", ["Ink"])):
        page.run(type_in.format(typed))
        assert page.run(shown) == found
    page.press("Enter")
    page.until("drawn.style == 'ink'")
    assert page.run(shown) == ["Wood", "Ink"]
    page.press("1")  # a key again, and no letter of the search
    page.until("drawn.style == 'wood'")


def test_slider_and_colors(page: Page) -> None:
    page.run("strength.value = 0; strength.dispatchEvent(new Event('input'))")
    page.until("fetch('/state').then(a => a.json()).then(s => s.strength === 0)")
    page.until("document.getElementById('percent').textContent == '0 %'")
    page.press("ArrowUp")
    page.until("fetch('/state').then(a => a.json()).then(s => s.strength === 0.05)")
    page.press("c")
    page.until(
        "document.querySelector('[data-color=content]').getAttribute('aria-checked') == 'true'"
    )
    page.run(
        "document.querySelector('[data-color=style]').click(); strength.value = 100;"
        "strength.dispatchEvent(new Event('input'))"
    )
    page.until(
        "fetch('/state').then(a => a.json()).then(s => s.strength === 1 && s.color == 'style')"
    )


def test_wipe_is_dragged(page: Page) -> None:
    page.press("w")
    page.until("!original.hidden && original.width == 64")
    left, top, width, height = page.run(
        "(({x, y, width, height}) => [x, y, width, height])(picture.getBoundingClientRect())"
    )
    middle = top + height / 2
    page.mouse("mousePressed", left + width / 2, middle)
    page.mouse("mouseMoved", left + width / 4, middle)
    page.mouse("mouseReleased", left + width / 4, middle)
    value = "Number(document.getElementById('handle').getAttribute('aria-valuenow'))"
    assert abs(page.run(value) - 25) <= 1
    page.press("End")  # the handle has the focus
    assert page.run(value) == 100
    page.press("w")
    page.until("original.hidden && document.getElementById('handle').hidden")


def test_snapshot_is_saved_and_linked(page: Page, saved: Path) -> None:
    page.run("document.getElementById('snapshot').click()")
    link = page.until("document.querySelector('#toast a')?.href")
    [path] = saved.glob("*.png")
    assert link.endswith(f"/saved/{path.name}")
    assert Image.open(path).size == (64, 48)
    assert page.run(f"fetch('{link}').then(a => a.status)") == 200


def test_recording_is_saved(page: Page, saved: Path) -> None:
    page.press("r")
    page.until("document.getElementById('record').getAttribute('aria-pressed') == 'true'")
    number = page.run("drawn.number")
    page.until(f"drawn.number > {number} + 3")
    page.press("r")
    link = page.until("document.querySelector('#toast a[href$=mp4]')?.href")
    [path] = saved.glob("*.mp4")
    assert link.endswith(path.name)
    # What was saved stays listed, the newest first, also after the page is loaded again.
    files = "[...document.querySelectorAll('#files a')]"
    names = [path.name, *(one.name for one in saved.glob("*.png"))]
    page.until(f"{files}.length == {len(names)}")
    page.call("Page.reload")
    page.until(f"window.drawn?.number > 1 && {files}.length == {len(names)}")
    assert page.run(f"{files}.map(a => a.textContent)") == names
    statuses = f"Promise.all({files}.map(a => fetch(a.href).then(b => b.status)))"
    assert page.run(statuses) == [200] * len(names)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 3


def test_everything_has_a_name_and_fits_a_phone(page: Page) -> None:
    nameless = """[...document.querySelectorAll('button, select, input, [role=slider]')].filter(
      e => !(e.textContent.trim() || e.ariaLabel || e.labels?.[0]?.textContent.trim())).length"""
    assert page.run(nameless) == 0
    for width, height in ((360, 640), (640, 360), (1600, 900)):
        page.window(width, height)
        time.sleep(0.2)
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run("picture.getBoundingClientRect().height > 100")
        record = "document.getElementById('record').getBoundingClientRect()"
        if width > height:  # without scrolling
            assert page.run(f"{record}.bottom <= innerHeight")
    page.window(1200, 800)


def test_a_program_that_has_ended_is_named(tmp_path: Path) -> None:
    with command(tmp_path, "input=camera:pattern") as (process, url), open_page(url) as page:
        page.until("window.drawn?.number > 1")
        message = "document.getElementById('message').textContent"
        lost = "document.body.classList.contains('lost')"
        if hasattr(signal, "SIGSTOP"):  # as a machine behind a network that is gone
            process.send_signal(signal.SIGSTOP)
            page.until(lost)
            assert "does not answer" in page.run(message)
            process.send_signal(signal.SIGCONT)
            page.until(f"!{lost}")
        process.kill()
        page.until(lost)
        numbers = (
            "['rate', 'age', 'network', 'size'].map(id => document.getElementById(id).textContent)"
        )
        assert page.run(numbers) == ["–"] * 4
        assert "has ended" in page.run(message)
        assert page.run("document.getElementById('controls').inert")


def test_the_token_opens_the_page_and_leaves_the_address(tmp_path: Path) -> None:
    typed = ("input=camera:pattern", "live.token=a-token-of-mine")
    with command(tmp_path, *typed) as (_, url), open_page(url.partition("?")[0]) as page:
        page.until("document.body?.textContent.includes('requires a token')")
        page.call("Page.navigate", url=url)
        page.until("window.drawn?.number > 1")
        assert page.run("location.search") == ""
        assert page.run("document.cookie") == ""  # which scripts cannot read
        page.call("Page.reload")
        page.until("window.drawn?.number > 1")


def test_another_site_gets_nothing(page: Page) -> None:
    """A page of another origin in the same browser; it is this machine under another name."""
    url = page.run("location.href")
    other = url.replace("127.0.0.1", "localhost")
    page.call("Page.navigate", url=other)
    page.until("location.hostname == 'localhost' && window.drawn?.number > 1")
    blocked = """new Promise(done => {{
      const socket = new WebSocket('ws://{place}/frames');
      socket.onopen = () => done('open');
      socket.onerror = () => done('refused');
    }})"""
    place = url.removeprefix("http://").rstrip("/")
    assert page.run(blocked.format(place=place)) == "refused"
    asked = f"fetch('{url}state', {{method: 'POST', mode: 'no-cors', body: '{{}}'}})"
    assert page.run(f"{asked}.then(() => 'sent', () => 'refused')") == "refused"
    page.problems.clear()  # the browser says so, too
