"""Static files under names that carry their digest, so that browsers may keep them for ever."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, abort, current_app, send_from_directory

from terristory.web.access import open_to_all

ONE_YEAR = 31536000


def asset(name: str) -> str:
    """Return the path under which a file of `static/` is served: `css/site.css` → `/static/<digest>/css/site.css`.

    The file is read once a process: a release brings new files and new processes.
    """
    return _hashed_path(current_app.static_folder or "", name)


@cache
def _hashed_path(folder: str, name: str) -> str:
    digest = hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"


def install_static_files(app: Flask) -> None:
    """Serve `static/` with and without a digest in the path; only with it an answer is cached for a year."""
    app.jinja_env.globals["asset"] = asset

    @app.get("/static/<string(length=12):digest>/<path:name>")
    @open_to_all
    def static_asset(digest: str, name: str) -> Response:
        if not set(digest) <= set("0123456789abcdef"):
            abort(404)
        response = send_from_directory(current_app.static_folder or "", name, max_age=ONE_YEAR)
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
        return response

    @app.get("/favicon.ico")
    @open_to_all
    def favicon() -> Response:
        return send_from_directory(
            current_app.static_folder or "", "images/favicon.svg", mimetype="image/svg+xml", max_age=86400
        )
