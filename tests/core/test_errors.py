import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fasttransfer.core.errors import FastTransferError, shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("holiday 2024 – Zürich あ 👩‍👧.jpg", "holiday 2024 – Zürich あ 👩‍👧.jpg"),
        ("narrow\u202fspace.png", "narrow\u202fspace.png"),  # as macOS names screenshots
        ("\x1b]0;title\x07a.jpg", r"\x1b]0;title\x07a.jpg"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        (b"caf\xe9.jpg", r"caf\xe9.jpg"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("half\ud800", r"half\ud800"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_names_are_shown_escaped(name, shown):
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    assert shown_name(name) == shown
    assert str(FastTransferError(f"{name} is damaged")) == f"{shown} is damaged"


@given(st.text(st.characters()))
def test_what_is_shown_is_one_line_of_text(name):
    shown = shown_name(name)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert shown_name(shown) == shown
