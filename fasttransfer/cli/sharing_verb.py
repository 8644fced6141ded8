"""The verb push."""

import click

from .options import Verb, complete_styles


@click.command(
    "push",
    cls=Verb,
    short_help="Share a style on a hub of models.",
    epilog="""\
Examples:
  fasttransfer push runs/painting-20261122-150000 hub:me/painting
  fasttransfer stylize photo.jpg --style hub:me/painting
""",
)
@click.argument("style", shell_complete=complete_styles)
@click.argument("to", metavar="hub:USER/NAME")
@click.option("--private", is_flag=True, help="Only you see it, where it is new.")
def push(style: str, to: str, private: bool) -> None:
    """Uploads STYLE with a card and a preview, by huggingface_hub.

    The card names the license of the style image: check that you may share it. Log in first, by
    hf auth login.
    """
    from ..zoo.sharing import push as upload

    click.echo(upload(style, to, private))
