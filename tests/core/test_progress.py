"""What the person is told."""

from pathlib import Path

import pytest

from fasttransfer.core.progress import Report, _rate


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    for number in report.track(range(3), 3, "wood", "images"):
        report.done.append(Path(f"{number}.jpg"))
    report.skipped.append(Path("old.jpg"))
    report.fail(Path("bad.jpg"), ValueError("bad.jpg is empty"))
    report.fail(Path("huge.jpg"), ValueError("no memory"))
    report.print_summary()
    told = capsys.readouterr().err
    assert "3/3" in told
    assert "wrote 3 pictures" in told
    assert "images/s)" in told
    assert "skipped old.jpg" in told
    assert "could not do 2" in told
    assert "  bad.jpg is empty\n" in told
    assert "  huge.jpg: no memory\n" in told


def test_what_takes_long_is_told_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert _rate(5, "images", 2.0) == "2.50 images/s"
    assert _rate(1, "images", 244.6) == "244.6 s/image"
    report = Report()
    report.done.append(Path("large.tif"))
    report._start -= 100
    report.print_summary()
    assert "wrote large.tif in 100.0 s (100.0 s/image)" in capsys.readouterr().err


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
