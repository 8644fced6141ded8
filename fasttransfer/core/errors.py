"""The one exception that a user reads, and how file names and other errors appear in a sentence."""

import os
import unicodedata

# Joiners inside words and emoji are harmless; other format characters turn or hide text.
_HARMLESS = "\u200c\u200d"
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, format, surrogate, line and paragraph separator


class FastTransferError(Exception):
    """A mistake the user can fix.

    Its text is one sentence saying what came, what was expected and what to do. The commands print
    it without a traceback and exit with 2.

    Whatever file name is part of it, ``str`` of it is one line that is safe on a terminal.
    """

    def __str__(self) -> str:
        return shown_name(super().__str__())


def shown_name(name: object) -> str:
    r"""A file name, or a text with file names, for a terminal, a log, or a page.

    Names may hold anything: escape sequences that move the cursor, newlines, characters that turn
    the direction of text, bytes that are not UTF-8. These are shown escaped.

    >>> shown_name("a\x1b[2Jb\n.jpg")
    'a\\x1b[2Jb\\n.jpg'
    """
    text = os.fsdecode(name) if isinstance(name, bytes) else str(name)
    if text.isprintable():  # nearly every name there is
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode()


def brief(error: BaseException) -> str:
    """What a library's exception says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
