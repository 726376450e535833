"""The pages' shared shell: jinja2 templates and the style sheet that ship inside this package."""

from typing import Any

import jinja2
from markupsafe import Markup

import prefillroute
from prefillroute.text.visible import visible

_LOADER = jinja2.PackageLoader("prefillroute.reports")


def render_template(name: str, **values: Any) -> str:
    """Fill a template of ``reports/templates``; everything is escaped except what is ``Markup`` already.

    Control characters and direction marks, which could reverse a line of the page, are shown as escapes.
    """
    environment = jinja2.Environment(
        loader=_LOADER,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    version = prefillroute.__version__
    return environment.get_template(name).render(
        css=Markup(template_text("page.css")), version=version, **values
    )


def template_text(name: str) -> str:
    """A file of ``reports/templates`` as it is: a style sheet or a script."""
    return _LOADER.get_source(jinja2.Environment(autoescape=True), name)[0]


def _shown(value: Any) -> Any:
    """Text with its line breaks, and other invisible characters as escapes; HTML and other values as they are."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "\n".join(visible(line) for line in value.split("\n"))
