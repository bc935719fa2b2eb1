"""Kartverket's address register, asked by the server so that the resident's browser talks to nobody else.

`GET <base>/sok` and `/punktsok` (ws.geonorge.no/adresser/v1, unknown parameters give 400). Every call is bounded in
time, and its failure is one exception: the form has other ways to say where.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

_SHOWN = "adresser.adressetekst,adresser.adressenavn,adresser.poststed,adresser.kommunenavn,adresser.representasjonspunkt"


class AddressServiceDown(Exception):
    """No answer in time, or none that can be read."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address as it is read aloud; its point in degrees WGS 84."""

    text: str
    street: str
    lat: float
    lon: float


def search(base_url: str, query: str, timeout_s: float, most: int = 6) -> list[Address]:
    """Addresses that look like what was typed. Raises AddressServiceDown."""
    if not query.strip():
        return []
    found = _ask(
        f"{base_url}/sok", {"sok": query.strip()[:100], "fuzzy": "true", "treffPerSide": most}, timeout_s
    )
    return found[:most]


def nearest(base_url: str, lat: float, lon: float, timeout_s: float, radius_m: int = 300) -> Address | None:
    """The registered address nearest to a place. Raises AddressServiceDown."""
    asked = {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}", "radius": radius_m, "treffPerSide": 1}
    return next(iter(_ask(f"{base_url}/punktsok", asked, timeout_s)), None)


def _ask(url: str, parameters: dict[str, Any], timeout_s: float) -> list[Address]:
    # Late, because few requests ask for an address, and every start would wait for the library.
    import httpx

    # 4258 is ETRS89 in degrees, within a metre of what GPS says.
    parameters = parameters | {"utkoordsys": 4258, "filtrer": _SHOWN}
    try:
        answer = httpx.get(url, params=parameters, timeout=timeout_s, follow_redirects=False)
        answer.raise_for_status()
        return [_address(hit) for hit in answer.json()["adresser"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("The address search did not answer: %s", type(error).__name__)
        raise AddressServiceDown from error


def _address(hit: dict[str, Any]) -> Address:
    town = str(hit.get("poststed") or hit.get("kommunenavn") or "").capitalize()
    point = hit["representasjonspunkt"]
    return Address(
        text=", ".join(filter(None, (hit["adressetekst"], town))),
        street=", ".join(filter(None, (hit.get("adressenavn"), town))),
        lat=float(point["lat"]),
        lon=float(point["lon"]),
    )
