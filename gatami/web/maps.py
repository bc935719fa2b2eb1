"""The map: its shell, built by folium, and the GeoJSON that fills it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from markupsafe import Markup

from .. import publication
from . import page

bp = Blueprint("maps", __name__)
bp.before_request(page.anyone)

MOST_TILES = 64
"""Tiles of 256 pixels side by side that a window may be wide."""
KINDS = ("browse", "case", "picker", "area")
"""Each is a function of `static/map.js`, called with the Leaflet map and the page's options."""


@bp.get("/map.geojson")
def window() -> Response:
    """The reports in `bbox` (west,south,east,north) under the list's own filters; `zoom` decides what is counted."""
    wanted = page.filters()
    zoom = request.args.get("zoom", 15, type=int)
    if wanted.box is None or not 0 <= zoom <= 22:
        abort(400)
    west, _south, east, _north = wanted.box
    if east - west > MOST_TILES * 360 / 2**zoom:
        # No screen is this wide; the finer the cells, the more of them the database would have to count.
        abort(400)
    response = Response(publication.window(wanted, zoom), mimetype="application/geo+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/municipalities/<number>/border.geojson")
def border(number: str) -> Response:
    found = publication.border(number)
    if found is None:
        abort(404)
    response = Response(found, mimetype="application/geo+json")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@bp.app_template_global()
def map_shell(kind: str, lat: float, lon: float, zoom: int, **options: Any) -> Markup:
    """The map's element and its script. Place and options travel in the element, so the script is always the same."""
    config = current_app.config
    name, script = _folium(kind, config["TILE_URL"], config["TILE_ATTRIBUTION"])
    data = json.dumps({"center": [lat, lon], "zoom": zoom, **options})
    element = Markup('<div class="folium-map" id="{}" data-options="{}"></div>\n').format(name, data)
    # folium writes JavaScript out of settings alone; nothing that a person typed is in it.
    return element + Markup('<script nonce="{}">{}</script>').format(page.csp_nonce(), Markup(script))  # noqa: S704


@lru_cache(maxsize=16)
def _folium(kind: str, tile_url: str, attribution: str) -> tuple[str, str]:
    """Id and script of one kind of map. folium, with numpy behind it, is only loaded when a map is first shown."""
    import folium
    from branca.element import MacroElement
    from folium.template import Template

    if kind not in KINDS:
        raise ValueError(kind)

    class Shell(folium.Map):
        """folium's map, except that it reads where to look from its element and leaves page and styles alone."""

        _template = Template(
            """
            {% macro script(this, kwargs) %}
                var {{ this.get_name() }}_options = JSON.parse(
                    document.getElementById({{ this.get_name()|tojson }}).dataset.options);
                var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
                    center: {{ this.get_name() }}_options.center,
                    zoom: {{ this.get_name() }}_options.zoom,
                    zoomControl: false
                });
            {% endmacro %}
            """
        )

    class Layer(MacroElement):
        _template = Template(
            "{% macro script(this, kwargs) %}gatami[{{ this.kind|tojson }}]"
            "({{ this._parent.get_name() }}, {{ this._parent.get_name() }}_options);{% endmacro %}"
        )

        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self._name, self.kind = "Layer", kind

    shell = Shell(tiles=None)
    shell._id = kind
    folium.TileLayer(tile_url, attr=attribution, max_zoom=18, control=False).add_to(shell)
    Layer().add_to(shell)
    root = shell.get_root()
    root.render()
    return str(shell.get_name()), str(root.script.render())  # type: ignore[attr-defined]
