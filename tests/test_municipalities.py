import pytest

from gatami import municipalities
from gatami.db import db
from gatami.municipalities import OutsideEveryMunicipality

from . import factories


@pytest.mark.parametrize(("place", "number"), [(factories.RANEM, "5047"), (factories.GRONG, "5045")])
def test_a_place_lies_in_its_municipality(app, place, number):
    assert municipalities.municipality_at(*place).number == number


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (factories.SEA, "sea"),
        (factories.SWEDEN, "abroad"),
        ((51.5, -0.1), "abroad"),
        (factories.NAMSOS, "not_here"),
    ],
)
def test_a_place_outside_says_why(app, place, reason):
    with pytest.raises(OutsideEveryMunicipality) as caught:
        municipalities.municipality_at(*place)
    assert caught.value.reason == reason
    assert (caught.value.names is not None) == (reason == "not_here")


def test_categories_come_in_their_order(app):
    slugs = [c.slug for c in db.session.scalars(municipalities.categories_of(factories.municipality()))]
    assert slugs == ["hull-i-vegen", "gatelys", "vann-og-avlop"]
