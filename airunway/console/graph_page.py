"""A stack's graph page: the output of ``airunway preview --format html``, with a content security policy."""

import base64
import hashlib
import re
from pathlib import Path

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from airunway.console.command import run_airunway

# The style that Cytoscape.js adds to the page (cytoscape.min.js).
_CYTOSCAPE_STYLE = ".__________cytoscape_container { position: relative; }"


async def graph_page(root: Path, stack: str) -> Response | list[str]:
    """Render the graph of ``stack`` with the way back to the console, or return why there is none, in lines."""
    result = await run_airunway("preview", "--stack", stack, "--cwd", str(root), "--format", "html")
    if not result.output:
        lines = [line.removeprefix("error: ") for line in result.errors.splitlines()]
        return lines[:-1] if len(lines) > 1 else lines
    back = Markup('<p><a href="/stacks/{0}/">Back to the deployments of {0}</a></p>').format(stack)
    page = re.sub(r"(<body[^>]*>)", lambda tag: tag[0] + str(back), result.output, count=1)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy_for(page)})


def policy_for(page: str) -> str:
    """Return a policy that allows only the page's own inline scripts and styles."""
    scripts, styles = (re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL) for tag in ("script", "style"))
    styles.append(_CYTOSCAPE_STYLE)
    allowed = [" ".join(sorted({_hash(text) for text in texts})) or "'none'" for texts in (scripts, styles)]
    return (
        f"default-src 'none'; script-src {allowed[0]}; style-src {allowed[1]}; img-src 'self' data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
