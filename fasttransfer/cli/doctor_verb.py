"""The verb doctor; what it looks at is in ``doctor``, which loads PyTorch."""

import click

from .options import Verb


@click.command("doctor", cls=Verb, short_help="Report versions, devices, engines, and extras.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Reports versions, devices, engines, extras, the cache, and video encoders.

    Each engine really runs a small network. Please add the output to bug reports.
    """
    from .doctor import examine, print_report

    print_report(examine(), as_json)
