"""The pages' shared shell: jinja2 templates and the style sheet that ship inside this package."""

from typing import Any

import jinja2
from markupsafe import Markup

import prefillroute
from prefillroute.text.visible import visible


def render_template(name: str, **values: Any) -> str:
    """Fill a template of ``reports/templates``; everything is escaped except what is ``Markup`` already.

    Control characters and direction marks, which could reverse a line of the page, are shown as escapes.
    """
    loader = jinja2.PackageLoader("prefillroute.reports")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    style = loader.get_source(environment, "page.css")[0]
    version = prefillroute.__version__
    return environment.get_template(name).render(css=Markup(style), version=version, **values)


def _shown(value: Any) -> Any:
    """Text with its line breaks, and other invisible characters as escapes; HTML and other values as they are."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "\n".join(visible(line) for line in value.split("\n"))
