"""The exported page in a real browser, which computes everything, beside what Python computes."""

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.assets import BUNDLED_PHOTOS
from fasttransfer.images.tensors import to_pil, to_tensor
from fasttransfer.stylizing.stylizer import Stylizer
from tests.helpers.chromium import BROWSER, CAMERA, Page, open_page
from tests.helpers.live import until
from tests.helpers.sites import ENGINE, HAS_RUNTIME, ISOLATED, address, host, make_site, offered

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here"),
    pytest.mark.skipif(not HAS_RUNTIME, reason="the extra web is not installed"),
]

ENGINE_OF_PAGE = "document.documentElement?.dataset.engine"
PIXELS = """(() => {{
  const {{ naturalWidth: width, naturalHeight: height }} = {0};
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage({0}, 0, 0);
  const {{ data }} = context.getImageData(0, 0, width, height);
  return [width, height, btoa(Array.from(data, (one) => String.fromCharCode(one)).join(''))];
}})()"""
SOFTWARE_GPU = (  # WebGPU as a program, where there is no device
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--ignore-gpu-blocklist",
)


def pixels(page: Page, element: str) -> np.ndarray:
    """What an image shows, RGB bytes (H, W, 3)."""
    width, height, encoded = page.run(PIXELS.format(element))
    levels = np.frombuffer(base64.b64decode(encoded), np.uint8)
    return levels.reshape(height, width, 4)[..., :3]


def drop(page: Page, photo: Image.Image) -> None:
    """Drops a photo on the page, and waits for what it makes of it."""
    file = BytesIO()
    photo.save(file, "PNG")
    page.run(f"""(() => {{
      const encoded = '{base64.b64encode(file.getvalue()).decode()}';
      const bytes = Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], 'photo.png', {{ type: 'image/png' }}));
      document.dispatchEvent(new DragEvent('drop', {{ dataTransfer: data, cancelable: true }}));
    }})()""")
    done(page)


def done(page: Page) -> None:
    """Waits until the photo is stylized as the page is set."""
    page.run("new Promise((done) => setTimeout(done, 400))")  # it waits for further changes
    page.until("!document.body.classList.contains('busy') && after.complete && after.naturalWidth")


def photo(width: int, height: int) -> Image.Image:
    found = Image.open(BUNDLED_PHOTOS["bundled-probe"] / "coffee.jpg").convert("RGB")
    return found.resize((width, height))


def in_python(style: str | Stylizer, content: Image.Image, **settings: object) -> np.ndarray:
    stylizer = Stylizer(style, engine=ENGINE) if isinstance(style, str) else style
    return np.array(to_pil(stylizer.with_settings(**settings)(to_tensor(content))))


def assert_close(page: Page, expected: np.ndarray) -> None:
    found = pixels(page, "after")
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 2
    assert found.std() > 10


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("web") / "site")


@pytest.fixture(scope="module")
def opened(site: Path) -> Iterator[tuple[Page, Path]]:
    """The page, and where its downloads go."""
    downloads = site.parent / "downloads"
    downloads.mkdir()
    with host(site) as server, open_page(address(server), *CAMERA) as page:
        page.until("window.drawn?.number > 2", 120)  # it loads itself again at first
        page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        page.window(1200, 800)
        yield page, downloads
        assert page.problems == []


@pytest.fixture
def page(opened: tuple[Page, Path]) -> Page:
    return opened[0]


def test_the_camera_arrives_in_styles(page: Page) -> None:
    assert page.run("welcome.hidden && waiting.hidden && message.hidden")
    names = "[...document.querySelectorAll('#styles [data-style]')].map(b => b.textContent)"
    assert page.run(names) == ["1Mosaic", "2Udnie", "3Wood"]
    page.until(
        "[...document.querySelectorAll('#styles img')].every((one) => one.naturalWidth == 160)"
    )
    page.press("3")
    page.until("drawn.style == 'wood'")
    page.run("document.querySelector('[data-add=udnie_realtime]').click()")  # two networks
    page.until("drawn.second == 'udnie_realtime' && drawn.share == 0.5")
    page.press("1")
    page.until("drawn.style == 'mosaic_realtime' && drawn.second === null")
    page.press("w")
    page.until("!original.hidden && original.width == stylized.width")
    page.press("w")
    page.until("original.hidden")
    page.run("strength.value = 0; strength.dispatchEvent(new Event('input'))")
    number = page.run("drawn.number")
    page.until(f"drawn.number > {number} + 2")
    page.run("strength.value = 100; strength.dispatchEvent(new Event('input'))")


def test_snapshots_and_recordings_are_downloaded(opened: tuple[Page, Path]) -> None:
    page, downloads = opened
    page.run("document.getElementById('snapshot').click()")
    name = page.until("files.querySelector('a')?.download")
    assert name.endswith(".png")
    until((downloads / name).exists)
    assert list(Image.open(downloads / name).size) == page.run("[stylized.width, stylized.height]")
    page.press("r")
    page.until("record.getAttribute('aria-pressed') == 'true'")
    number = page.run("drawn.number")
    page.until(f"drawn.number > {number} + 4")
    page.press("r")
    page.until("files.querySelectorAll('a').length == 2")
    name = page.run("files.querySelector('a').download")  # the newest comes first
    until((downloads / name).exists)
    with av.open(str(downloads / name)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 2


def test_photos_are_those_of_python(page: Page) -> None:
    content = photo(187, 141)
    drop(page, content)
    assert_close(page, in_python("mosaic_realtime", content))
    assert page.run("download.download") == "photo-mosaic.png"
    page.run("document.querySelector('[data-add=udnie_realtime]').click()")
    page.run("share.value = 30; share.dispatchEvent(new Event('input'))")
    done(page)
    assert_close(page, in_python("mosaic_realtime:0.7,udnie_realtime:0.3", content))
    page.press("c")
    page.run("strength.value = 60; strength.dispatchEvent(new Event('input'))")
    done(page)
    blend = "mosaic_realtime:0.7,udnie_realtime:0.3"
    assert_close(page, in_python(blend, content, strength=0.6, color="content"))
    page.press("c")
    page.run("strength.value = 100; strength.dispatchEvent(new Event('input'))")
    page.run("document.querySelector('[data-style=wood]').click()")
    page.run("document.querySelector('[data-add=udnie_realtime]').click()")
    done(page)
    _, udnie, wood = offered()
    mean = (in_python(udnie, content) / 255 + in_python(wood, content) / 255) / 2
    assert_close(page, np.rint(255 * mean))
    drop(page, photo(7, 5))  # smaller than the network takes
    page.run("document.querySelector('[data-style=mosaic_realtime]').click()")
    done(page)
    assert_close(page, in_python("mosaic_realtime", photo(7, 5)))
    page.press("Escape")
    page.until("!document.body.classList.contains('photo')")


def test_an_example_and_what_is_no_photo(page: Page) -> None:
    page.run("pattern.click()")
    done(page)
    assert page.run("[after.naturalWidth, after.naturalHeight]") == [640, 480]
    page.run("document.getElementById('close').click()")
    page.run("""(() => {
      const data = new DataTransfer();
      data.items.add(new File(['no picture'], 'photo.heic'));
      document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
    })()""")
    page.until("toast.textContent.includes('cannot read this picture')")


def test_a_photo_that_memory_is_too_small_for_is_made_smaller(page: Page) -> None:
    """Its worker starts again after a failure, as memory that WebAssembly took is not given back."""
    size = page.run("""(async () => {
      const { startPainter } = await import('./web/painter.js');
      const { stylizePhoto } = await import('./web/photos.js');
      const real = await startPainter(await (await fetch('site.json')).json());
      const photo = ({ width, height, ...more }) => {
        if (width * height > 400_000) throw new Error('out of memory');
        return real.photo({ width, height, ...more });
      };
      const canvas = new OffscreenCanvas(1000, 600);
      canvas.getContext('2d').fillRect(0, 0, 500, 300);
      const file = new File([await canvas.convertToBlob()], 'large.png', { type: 'image/png' });
      const look = { shares: { wood: 1 }, strength: 1, color: 'style' };
      const { signal } = new AbortController();
      const made = await stylizePhoto({ ...real, photo }, file, look, signal);
      const { width, height } = await createImageBitmap(made);
      return [width, height];
    })()""")
    assert size == [707, 424]
    assert page.run("toast.textContent").startswith("Made 707 × 424 of 1000 × 600 pixels")


def test_fits_a_phone(page: Page) -> None:
    nameless = """[...document.querySelectorAll('button, select, input, [role=slider]')].filter(
      e => !(e.textContent.trim() || e.ariaLabel || e.labels?.[0]?.textContent.trim())).length"""
    assert page.run(nameless) == 0
    assert "No picture leaves this machine" in page.run("document.body.innerText")
    for width, height in ((360, 640), (640, 360), (1600, 900)):
        page.window(width, height)
        page.until(f"innerWidth == {width}")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run("picture.getBoundingClientRect().height > 100")
    page.window(1200, 800)


def test_nothing_of_another_host(page: Page) -> None:
    loaded = page.run("performance.getEntriesByType('resource').map(({ name }) => name)")
    here = page.run("location.origin")
    assert loaded
    assert all(name.startswith((f"{here}/", f"blob:{here}/")) for name in loaded)
    elsewhere = here.replace("127.0.0.1", "localhost")  # this host under another name
    asked = f"fetch('{elsewhere}', {{ mode: 'no-cors' }}).then(() => 'sent', () => 'refused')"
    assert page.run(asked) == "refused"
    page.problems.clear()  # the browser says so, too


def test_without_a_network_after_the_first_visit(site: Path) -> None:
    with host(site) as server, open_page(address(server)) as page:
        page.until("document.getElementById('offline')?.textContent == 'Works offline.'")
        server.shutdown()
        server.server_close()
        page.call("Network.enable")
        page.call("Network.clearBrowserCache")
        page.call("Page.reload")
        page.until(f"{ENGINE_OF_PAGE}?.startsWith('wasm')")
        page.run("document.querySelector('[data-style=udnie_realtime]').click()")  # not used yet
        content = photo(64, 48)
        drop(page, content)
        assert_close(page, in_python("udnie_realtime", content))


def test_threads_where_the_host_allows_them(site: Path) -> None:
    no_workers = "Object.defineProperty(navigator, 'serviceWorker', { value: undefined })"
    for headers, isolated in (({}, False), (ISOLATED, True)):
        with host(site, headers) as server, open_page("about:blank") as page:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=no_workers)
            page.call("Page.navigate", url=address(server))
            engine = page.until(ENGINE_OF_PAGE)
            assert page.run("crossOriginIsolated") is isolated
            threads = min(page.run("navigator.hardwareConcurrency"), 4) if isolated else 1
            assert engine == f"wasm {threads}"
            content = photo(64, 48)
            drop(page, content)
            assert_close(page, in_python("mosaic_realtime", content))


def test_webgpu(site: Path) -> None:
    with (
        host(site) as server,
        open_page(f"{address(server)}?provider=webgpu", *SOFTWARE_GPU) as page,
    ):
        engine = page.until(ENGINE_OF_PAGE)
        if engine == "none":
            assert "cannot run in this browser" in page.run("message.textContent")
            pytest.skip("this browser has no WebGPU")
        assert engine == "webgpu 1"
        content = photo(187, 141)
        drop(page, content)
        assert_close(page, in_python("mosaic_realtime", content))


def test_a_missing_file_is_named(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site"
    broken.mkdir()
    for path in site.iterdir():
        if path.name != "networks":
            (broken / path.name).symlink_to(path)
    with host(broken) as server, open_page(address(server)) as page:
        page.until(f"{ENGINE_OF_PAGE} == 'none'")
        message = page.run("!document.getElementById('message').hidden && message.textContent")
        assert "networks/" in message
        assert "404" in message
