"""The one exception that a person is meant to read, and what others say in one line."""


class FastTransferError(Exception):
    """A mistake the user can fix: its text is one sentence saying what came, what was
    expected and what to do. The commands print it without a traceback and exit with 2."""


def brief(error: Exception) -> str:
    """What a library's exception says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
