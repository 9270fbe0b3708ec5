"""A page that opens from disk in any browser: one HTML file, no script, nothing asked of a network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from whalereid.errors import printable
from whalereid.html import Html

__all__ = ["heading", "page"]

# Colours of both schemes, as the reader's system asks for; right answers are told by a word as well as by green.
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d1f21; --dim: #5c6370; --line: #d5d8dd; --right: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e6e8eb; --dim: #a2a9b4; --line: #3a3f47; --right: #56d364; }
}
body { margin: 0 auto; padding: 1rem; max-width: 78rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; }
.row { display: flex; gap: .7rem; overflow-x: auto; padding: .7rem 0; border-top: 1px solid var(--line); }
.sheet { display: flex; flex-wrap: wrap; gap: .7rem; }
figure { margin: 0; flex: 0 0 auto; width: 11rem; font-size: .85rem; }
figure img, figure .lost { width: 11rem; height: 8rem; object-fit: contain; border: 3px solid var(--line);
  border-radius: 6px; box-sizing: border-box; display: block; }
figure .lost { display: flex; align-items: center; justify-content: center; color: var(--dim); }
figure.query { padding-right: .7rem; border-right: 3px double var(--line); }
figure.right img { border-color: var(--right); } figure.right .verdict { color: var(--right); font-weight: 600; }
figcaption { overflow-wrap: anywhere; color: var(--dim); } figcaption b { color: var(--ink); }
"""


def page(title: str, parts: Iterable[Html]) -> str:
    """One whole HTML document.

    Parameters
    ----------
    title : str
        Its heading, and the name of its tab; escaped here.
    parts : iterable of Html
        What stands below it, from above.
    """
    name = escape(printable(title))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing but the pictures beside it and its own style: what slipped through could run nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' file:; "
        "style-src 'unsafe-inline'\">\n"
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def heading(text: str) -> Html:
    """A heading in the page."""
    return Html(f"<h2>{escape(printable(text))}</h2>")
