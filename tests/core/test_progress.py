"""What a run reports."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from fasttransfer.core.progress import Report


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    for number in report.track(range(3), 3, "wood", "images"):
        report.done.append(Path(f"{number}.jpg"))
    report.skipped.append(Path("old.jpg"))
    report.fail(Path("bad.jpg"), ValueError("bad.jpg is empty"))
    report.fail(Path("huge.jpg"), ValueError("no memory"))
    report.print_summary()
    stderr = capsys.readouterr().err
    assert "3/3" not in stderr  # no bar, and less than 30 seconds
    assert "wrote 3 pictures" in stderr
    assert "images/s)" in stderr
    assert "skipped old.jpg" in stderr
    assert "2 files failed:" in stderr
    assert "  bad.jpg is empty\n" in stderr
    assert "  huge.jpg: no memory\n" in stderr


def test_brackets_in_names_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.note(Path("a[red].jpg"), "has [bold]2[/bold] frames")
    assert "a[red].jpg: has [bold]2[/bold] frames" in capsys.readouterr().err


def test_one_picture_needs_no_progress_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(Report().track([7], 1, "wood", "images")) == [7]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("several", [1, 3])
def test_parts_of_a_picture_have_a_line(several: int, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    for _ in report.track(range(several), several, "wood", "images"):
        with report.steps("large.tif", 4, "tiles") as step:
            for _ in range(4):
                step()
    report.print_summary()
    assert "Traceback" not in capsys.readouterr().err


def test_names_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.fail(Path("a\x1b[31m\n.jpg"), ValueError("is empty"))
    report.print_summary()
    assert capsys.readouterr().err == "1 file failed:\n  a\\x1b[31m\\n.jpg: is empty\n"


def test_what_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(skipped=[Path("a.jpg")])
    report.print_summary()
    report.skipped.append(Path("b.jpg"))
    report.print_summary()
    printed = capsys.readouterr().err.splitlines()
    assert printed[0].startswith("skipped a.jpg: done before; ")
    assert printed[1].startswith("skipped 2 files: done before; ")


def test_bars_on_a_terminal() -> None:
    screen = io.StringIO()
    report = Report(console=Console(file=screen, force_terminal=True, width=100))
    for _ in report.track(range(3), 3, "a[red]\n", "images"):
        with report.steps("large[/].tif", 2, "tiles") as step:
            step()
            step()
    assert "a[red]\\n" in screen.getvalue()
    assert "3/3" in screen.getvalue()
