"""``pms openapi``: the description of the HTTP interface, as a document or as a page."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pms_web.cli.terminal import say
from pms_web.described import every_route
from pms_web.openapi import document
from pms_web.route_pages import http_page

__all__ = ["openapi"]

_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.option("--out", type=_FILE, help="Write the OpenAPI document here in place of printing it.")
@click.option("--pages", type=_FILE, help="Write the table of permissions and routes here, as Markdown.")
def openapi(out: Path | None, pages: Path | None) -> None:
    """Print the OpenAPI 3.1 document of all routes, those of the modules included.

    \b
    Example:
      pms openapi --out openapi.json
    """
    if pages is not None:
        pages.write_text(http_page(every_route()), "utf-8")
        say(f"Wrote {pages}.")
    if pages is None or out is not None:
        # No version of the program, so that the document changes only where the interface does.
        text = json.dumps(document(every_route(), version="1"), indent=1, ensure_ascii=False) + "\n"
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_text(text, "utf-8")
            say(f"Wrote {out}.")
