"""`clusterqa mcp`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clusterqa import extras
from clusterqa.cli.common import settings_options

if TYPE_CHECKING:
    from clusterqa.settings import Settings


@click.command("mcp")
@settings_options
def serve_mcp(settings: Settings) -> None:
    """
    Serve the documents to a language model's program. It is spoken to over standard input and output.

    The program starts this command itself; docs/mcp.md shows what it needs to be told.
    """
    extras.need("mcp", "The MCP server")
    from clusterqa.web.mcp import serve

    serve(settings)
