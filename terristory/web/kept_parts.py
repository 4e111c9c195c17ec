"""Parts of pages that are the same for everybody: written once, and kept."""

from flask import Flask, request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

# Bounded by what there is: regions, languages, pages. Old names and contacts of regions stay until then.
MOST_KEPT = 2000


def install_kept_parts(app: Flask) -> None:
    """Give templates `kept_part(name)`: a template that knows nothing but the language, the region and the page.

    It sees `langue`, `region` and `here` (the endpoint), so it can show nothing of a visitor. Head, menu and foot took
    a seventh of a page's time.
    """
    kept: dict[tuple[str | None, ...], Markup] = {}

    @pass_context
    def kept_part(context: Context, name: str) -> Markup:
        langue, region, here = context["langue"], context["region"], request.endpoint
        of_region = (region.key, region.nom, region.contact) if region else ()
        key = (name, langue, here, request.script_root, *of_region)
        part = kept.get(key)
        if part is None:
            template = app.jinja_env.get_template(name)
            part = Markup(template.render(langue=langue, region=region, here=here))  # noqa: S704
            if len(kept) >= MOST_KEPT:
                kept.clear()
            kept[key] = part
        return part

    app.jinja_env.globals["kept_part"] = kept_part
