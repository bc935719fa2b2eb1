"""What tests are about: municipalities, staff, reports. Everybody here is invented."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from gatami import accounts, reports
from gatami.accounts import User
from gatami.db import db
from gatami.municipalities import Category, Department, Municipality
from gatami.policy import photos
from gatami.reports import Report, Submission

PASSWORD = "et langt passord for prøver"
RANEM = (64.4915, 11.9781)
"""A place in the middle of Overhalla, latitude and longitude."""
GRONG = (64.4630, 12.3110)
SEA = (64.60, 10.60)
NAMSOS = (64.4660, 11.4950)
"""In a municipality that does not use GataMi."""
SWEDEN = (63.40, 13.08)

_DATA = Path(__file__).resolve().parent.parent / "gatami" / "data"


def _names(nb: str, nn: str | None = None, en: str | None = None) -> dict[str, str]:
    return {"nb": nb, "nn": nn or nb, "en": en or nb}


def _ewkt(geometry: dict[str, Any]) -> str:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    parts = [
        "(" + ",".join("(" + ",".join(f"{x} {y}" for x, y, *_ in ring) + ")" for ring in polygon) + ")"
        for polygon in polygons
    ]
    return f"SRID=4326;MULTIPOLYGON({','.join(parts)})"


def country() -> None:
    """Overhalla and Grong with departments and categories, and a neighbour that does not use GataMi."""
    features = json.loads((_DATA / "overhalla-and-neighbours.geojson").read_text())["features"]
    borders = {f["properties"]["number"]: f["geometry"] for f in features}
    places = {"5047": ("Overhalla", RANEM), "5045": ("Grong", GRONG), "5007": ("Namsos", NAMSOS)}
    for number, (name, (lat, lon)) in places.items():
        municipality = Municipality(
            number=number,
            names=_names(name),
            border=_ewkt(borders[number]),
            lat=lat,
            lon=lon,
            active=number != "5007",
            phone="74 28 00 00",
            public_contacts=["74280000"],
            sensitive_contact=_names("Ring servicekontoret.", "Ring servicekontoret.", "Phone the office."),
        )
        db.session.add(municipality)
        if municipality.active:
            department = Department(names=_names("Teknisk avdeling", None, "Technical department"))
            db.session.add(municipality)
            db.session.flush()
            department.municipality_id = municipality.id
            db.session.add(department)
            db.session.flush()
            db.session.add_all(_categories(municipality, department))


def _categories(municipality: Municipality, department: Department) -> list[Category]:
    size = {
        "code": "size",
        "label": _names("Hvor stort?", "Kor stort?", "How large?"),
        "kind": "choice",
        "options": [
            {"code": "small", "label": _names("Lite", "Lite", "Small")},
            {"code": "large", "label": _names("Stort", "Stort", "Large")},
        ],
        "required": False,
    }
    pole = {"code": "pole", "label": _names("Stolpenummer"), "kind": "text", "options": [], "required": True}
    shared: dict[str, Any] = {"municipality": municipality, "department": department, "group": "road"}
    return [
        Category(
            slug="hull-i-vegen",
            icon="pothole",
            names=_names("Hull i vegen", "Hol i vegen", "Pothole"),
            questions=[size],
            position=1,
            **shared,
        ),
        Category(
            slug="gatelys",
            icon="streetlight",
            names=_names("Gatelys", "Gatelys", "Streetlight"),
            questions=[pole],
            duplicate_radius_m=30.0,
            position=2,
            **shared,
        ),
        Category(
            slug="vann-og-avlop",
            icon="water",
            names=_names("Vann og avløp", "Vatn og avløp", "Water"),
            stop_message=_names("Ring 74 28 00 00 nå.", "Ring 74 28 00 00 no.", "Phone 74 28 00 00 now."),
            position=3,
            **shared,
        ),
    ]


def municipality(number: str = "5047") -> Municipality:
    return db.session.scalars(db.select(Municipality).where(Municipality.number == number)).one()


def user(
    name: str = "Liv Prøvesen",
    role: str | None = "caseworker",
    number: str = "5047",
    email: str | None = None,
    commit: bool = True,
) -> User:
    made = accounts.add(email or f"{name.split()[0].lower()}@prove.example", name)
    made.password_hash = _password_hash()
    if role:
        home = municipality(number)
        department = db.session.scalars(
            db.select(Department).where(Department.municipality_id == home.id)
        ).first()
        accounts.grant(made, home, role, department)
    if commit:
        db.session.commit()
    return made


@cache
def _password_hash() -> str:
    return accounts._hasher.hash(PASSWORD)


def submission(**typed: Any) -> Submission:
    fields: dict[str, Any] = {
        "category": "hull-i-vegen",
        "lat": RANEM[0],
        "lon": RANEM[1],
        "text": "Stort hull midt i vegen.",
    }
    return Submission(**(fields | typed))


def report(at: datetime | None = None, commit: bool = True, **typed: Any) -> Report:
    made = reports.submit(submission(**typed), at=at)
    if commit:
        db.session.commit()
    return made


def picture(kind: str = "JPEG", size: tuple[int, int] = (320, 200), **options: Any) -> bytes:
    """A drawn picture, darker at its left edge, so that a turned one can be told."""
    drawn = Image.new("RGB", size, "#88aacc")
    drawn.paste((20, 30, 40), (0, 0, size[0] // 4, size[1]))
    out = BytesIO()
    drawn.save(out, kind, **options)
    return out.getvalue()


def review(report: Report, place_name: str | None = None, *, look: bool = False) -> bool:
    """What the worker does with a report that came in. Nobody is looked for in its pictures unless `look` says so."""
    db.session.flush()
    for photo_id in db.session.scalars(reports.undrawn(report.id)).all():
        assert reports.draw(photo_id, 20, 512 * 1024**2, photos.make if look else _unseen)
    return reports.review(report.id, place_name)


def _unseen(data: bytes, **asked: Any) -> photos.Made:
    return photos.make(data, **(asked | {"boxes": asked.get("boxes") or ()}))
