"""Pictures that strangers send: which are taken, what is covered in them, and how they become safe to show.

`check` looks at the head of a file and nothing more. `make` decodes it in a process of its own, bounded in time and memory.
Whoever imports this loads none of the libraries that decode or see.
"""

from __future__ import annotations

from .boxes import Box
from .heads import PIXELS, SIDE, CutOff, Mixed, Moving, NotAPicture, Refused, TooManyPixels, check, kind
from .pixels import FORMATS, SIZES, Rendition, Unreadable
from .process import Made, Unavailable, make

__all__ = [
    "FORMATS",
    "PIXELS",
    "SIDE",
    "SIZES",
    "Box",
    "CutOff",
    "Made",
    "Mixed",
    "Moving",
    "NotAPicture",
    "Refused",
    "Rendition",
    "TooManyPixels",
    "Unavailable",
    "Unreadable",
    "check",
    "kind",
    "make",
]
