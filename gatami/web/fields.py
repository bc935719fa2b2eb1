"""What the fields of forms hold as people type it, and the sentence for each entry and file that cannot be taken."""

from __future__ import annotations

from flask import current_app, request
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from .. import reports
from ..municipalities import Municipality
from ..policy import photos as pictures
from ..reports import InvalidReport
from . import page


def number(value: str) -> float | None:
    """A coordinate as people type it, with a comma or a point; None where it is none."""
    try:
        found = float(value.strip().replace(",", "."))
    except ValueError:
        return None
    return found if abs(found) <= 360 else None


def chosen(active: list[Municipality]) -> Municipality | None:
    """The municipality that was asked for, else the one that this site opens on."""
    number = request.values.get("municipality", "") or current_app.config["DEFAULT_MUNICIPALITY"]
    return next((m for m in active if m.number == number), active[0] if active else None)


def explain(invalid: InvalidReport) -> dict[str, str]:
    """Each error as a sentence for the field that it stands beside."""
    words = {
        "place_missing": _("Choose a place: tap on the map, use your location or search for an address."),
        "place_not_on_earth": _(
            "These coordinates are not a place on the map. Latitude comes first, then longitude."
        ),
        "place_sea": _("This place is in the sea. Move the mark to the nearest road, quay or shore."),
        "place_abroad": _(
            "This place is outside Norway. GataMi takes reports from Norwegian municipalities."
        ),
        "place_not_here": _(
            "This place is in %(municipality)s, which does not use GataMi. Contact that municipality directly.",
            municipality=page.named(invalid.outside),
        ),
        "category_missing": _("Choose what the report is about."),
        "category_unknown": _("The municipality does not have this category. Choose another one."),
        "text_missing": _("Write what is wrong. A short sentence is enough."),
        "text_too_long": _(
            "The text is too long. It can have at most %(most)d characters.", most=reports.TEXT_MOST
        ),
        "email_invalid": _("This does not look like an e-mail address. It should look like name@example.no."),
        "phone_invalid": _("This does not look like a phone number. Use digits, such as 400 00 000."),
        "too_long": _("This is too long."),
        "answer_missing": _("Answer this question."),
        "answer_unknown": _("Choose one of the answers."),
        "caption_too_long": _(
            "What a photo shows can have at most %(most)d characters.", most=reports.CAPTION_MOST
        ),
        "photos_too_many": _("You can send at most %(number)d photos.", number=reports.PHOTOS_MOST),
    }
    return {field: words[reason] for field, reason in invalid.errors.items()}


# Files that are no photos -------------------------------------------------------------------------------------


class TooLarge(pictures.Refused):
    """More bytes than PHOTO_BYTES."""


class TooManyFiles(pictures.Refused):
    """More photos than reports.PHOTOS_MOST."""


def read_photo(file: FileStorage) -> bytes:
    """The bytes of a file that may be stored as a photo. Raises policy.photos.Refused."""
    most = current_app.config["PHOTO_BYTES"]
    # A large upload lies in a temporary file, which closing deletes at once.
    with file.stream:
        data = file.stream.read(most + 1)
    if len(data) > most:
        raise TooLarge
    pictures.check(data)
    return data


def refused(error: pictures.Refused, name: str) -> str:
    """Why a file is not taken as a photo, as a sentence that names it."""
    what = ""
    if isinstance(error, pictures.NotAPicture | pictures.Mixed) and error.found:
        what = _kinds().get(error.found, "")
        if error.found == "empty":
            return str(_("“%(name)s” is empty. Choose it again, or take a new photo.", name=name))
    sentences: dict[type[pictures.Refused], str] = {
        pictures.NotAPicture: _(
            "“%(name)s” is %(what)s. Send a photo as JPEG, PNG, WebP or HEIC.", name=name, what=what
        )
        if what
        else _("“%(name)s” is not a picture that we can read. Send a JPEG, PNG, WebP or HEIC.", name=name),
        pictures.Mixed: _(
            "“%(name)s” is a picture and %(what)s in one. Take a screenshot of the picture, and send that.",
            name=name,
            what=what or _("something else"),
        ),
        pictures.Moving: _("“%(name)s” is a moving picture. Send one that stands still.", name=name),
        pictures.CutOff: _(
            "“%(name)s” is damaged: a part of the file is missing. Choose it again, or take a new photo.",
            name=name,
        ),
        pictures.TooManyPixels: _(
            "“%(name)s” has too many pixels. Make it smaller, or take a new photo.", name=name
        ),
        TooLarge: _(
            "“%(name)s” is too large. A photo can be at most %(most)d MB.",
            name=name,
            most=current_app.config["PHOTO_BYTES"] // 1024**2,
        ),
        TooManyFiles: _("You can send at most %(number)d photos.", number=reports.PHOTOS_MOST),
    }
    return sentences[type(error)]


def _kinds() -> dict[str, str]:
    """What a file is instead of a photo: `found` of policy.photos.NotAPicture, in words."""
    return {
        "gif": _("a GIF"),
        "svg": _("an SVG drawing"),
        "pdf": _("a PDF document"),
        "tiff": _("a TIFF picture"),
        "bmp": _("a BMP picture"),
        "ico": _("an icon"),
        "psd": _("a Photoshop file"),
        "raw": _("a raw picture from a camera"),
        "jp2": _("a JPEG 2000 picture"),
        "jxl": _("a JPEG XL picture"),
        "heif": _("a HEIC file without a picture"),
        "video": _("a video"),
        "audio": _("a sound recording"),
        "zip": _("a compressed folder"),
        "html": _("a web page"),
        "office": _("a document"),
        "program": _("a program"),
    }
