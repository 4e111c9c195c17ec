"""The service with one bare route and one command more.

The route is what Flask itself costs here, the bound that the others are compared with.
"""

from flask import jsonify
from flask.typing import ResponseReturnValue

from benchmarks.people import fill
from terristory.app import create_app
from terristory.settings import environment, read_settings
from terristory.web.access import open_to_all

app = create_app(read_settings(environment()))
app.cli.add_command(fill)


@app.get("/bench/hello")
@open_to_all
def hello() -> ResponseReturnValue:
    """Answer a constant."""
    return jsonify({"hello": "world"})
