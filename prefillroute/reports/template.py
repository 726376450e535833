"""The pages' shared shell: jinja2 templates and the style sheet that ship inside this package."""

from typing import Any

import jinja2
from markupsafe import Markup

import prefillroute


def render_template(name: str, **values: Any) -> str:
    """Fill a template of ``reports/templates``; everything is escaped but what is ``Markup`` already."""
    loader = jinja2.PackageLoader("prefillroute.reports")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = loader.get_source(environment, "page.css")[0]
    version = prefillroute.__version__
    return environment.get_template(name).render(css=Markup(style), version=version, **values)
