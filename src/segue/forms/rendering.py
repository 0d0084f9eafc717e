"""How the parts of a form become HTML.

Holds: `Renderer`, and the templates of whoever is running.
Imports: the context; templating, once something is rendered.
Never: runs context processors, or tells of a rendering: a widget is no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ..context import find_current

if TYPE_CHECKING:
    from ..templating import Templates

__all__ = ["Renderer"]


class Renderer:
    """Renders by the templates of the running app, so that it may replace any; else by Segue's own.

    Give a form another by `renderer=`, or a class of forms by `default_renderer`.
    """

    def render(self, template_name: str, context: Mapping[str, Any]) -> Markup:
        """Return the template's text for *context*."""
        return Markup(_templates().render_part(template_name, context))


def _templates() -> Templates:
    context = find_current()
    return _standalone() if context is None else context.app.app.templates


@cache
def _standalone() -> Templates:
    from ..templating import Templates, own_folders

    return Templates(own_folders(), debug=True)


RENDERER = Renderer()
