"""The region of a path: `<region:region>` reaches the view as an open Region, or the answer is a 404."""

from typing import Any

from flask import Flask, abort, g
from werkzeug.routing import BaseConverter

from terristory.regions.lookup import find_open_region


class RegionConverter(BaseConverter):
    """`<region:region>`: the key in lower case; loaded by `load_region` before the view runs."""

    regex = "[a-z0-9][a-z0-9-]{0,39}"

    def to_url(self, value: Any) -> str:
        """Build the path from a key or from a Region."""
        return super().to_url(getattr(value, "key", value))


class RegionKeyConverter(RegionConverter):
    """`<region_key:region_key>`: the bare key, for views whose guard checks the region in its own statement."""


def install_region_loading(app: Flask) -> None:
    """Register the converters and turn the path's region into a Region."""
    app.url_map.converters["region"] = RegionConverter
    app.url_map.converters["region_key"] = RegionKeyConverter

    @app.url_value_preprocessor
    def load_region(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if not values or "region" not in values:
            return
        region = find_open_region(values["region"])
        if region is None:
            abort(404)
        values["region"] = g.region = region
