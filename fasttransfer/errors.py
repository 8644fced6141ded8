"""The one exception that a person is meant to read."""


class FastTransferError(Exception):
    """A mistake the user can mend: its text is one sentence saying what came, what was
    expected and what to do. The commands print it without a traceback and exit with 2."""
