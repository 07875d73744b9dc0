"""`clusterqa mcp`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from clusterqa.cli.common import settings_options
from clusterqa.errors import ClusterQAError

if TYPE_CHECKING:
    from clusterqa.settings import Settings


@click.command("mcp")
@settings_options
def serve_mcp(settings: Settings) -> None:
    """
    Serve the documents to a language model's program, over standard input and output.

    The program starts this command itself; docs/mcp.md shows what it needs to be told.
    """
    if find_spec("mcp") is None:
        raise ClusterQAError("The MCP server is not installed. Install it with: pip install 'clusterqa[mcp]'")
    from clusterqa.web.mcp import serve

    serve(settings)
