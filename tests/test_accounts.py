import pytest

from gatami import accounts
from gatami.accounts import ACTS, ROLES
from gatami.db import db

from . import factories


def test_acts_name_roles_that_exist():
    assert all(roles <= set(ROLES) for roles in ACTS.values())


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        (None, set()),
        ("resident", set()),
        ("caseworker", {"handle"}),
        ("leader", {"handle", "lead"}),
        ("administrator", {"handle", "lead", "administer"}),
    ],
)
def test_a_role_holds_in_its_own_municipality(app, role, acts):
    user = factories.user(role=role)
    here, there = factories.municipality("5047"), factories.municipality("5045")
    assert {act for act in ACTS if accounts.may(user, act, here.id)} == acts
    assert not any(accounts.may(user, act, there.id) for act in ACTS)


def test_a_new_role_takes_the_place_of_the_old_one(app):
    user = factories.user(role="administrator")
    accounts.grant(user, factories.municipality(), "caseworker")
    assert [m.role for m in user.memberships] == ["caseworker"]


def test_signing_in(app):
    user = factories.user(email="liv@prove.example")
    assert accounts.authenticate("LIV@prove.example", factories.PASSWORD, "192.0.2.1", 3).id == user.id
    for email, password in (("liv@prove.example", "feil"), ("ingen@prove.example", factories.PASSWORD)):
        with pytest.raises(accounts.WrongEmailOrPassword):
            accounts.authenticate(email, password, "192.0.2.1", 3)


def test_a_closed_account_does_not_sign_in(app):
    user = factories.user()
    session = user.get_id()
    assert accounts.by_session(session) is user
    user.active = False
    with pytest.raises(accounts.WrongEmailOrPassword):
        accounts.authenticate(user.email, factories.PASSWORD, "192.0.2.1", 3)
    assert accounts.by_session(session) is None


def test_too_many_failures_must_wait_even_with_the_right_password(app):
    user = factories.user()
    for number in range(3):
        with pytest.raises(accounts.WrongEmailOrPassword):
            accounts.authenticate(user.email, "feil", f"192.0.2.{number}", 3)
    with pytest.raises(accounts.TooManyAttempts):
        accounts.authenticate(user.email, factories.PASSWORD, "192.0.2.9", 3)


def test_one_address_cannot_try_many_accounts(app):
    factories.user()
    for number in range(10):
        with pytest.raises(accounts.WrongEmailOrPassword):
            accounts.authenticate(f"gjett{number}@prove.example", "feil", "192.0.2.1", 1)
    with pytest.raises(accounts.TooManyAttempts):
        accounts.authenticate("liv@prove.example", factories.PASSWORD, "192.0.2.1", 1)


def test_spaces_around_an_address_are_no_other_account(app):
    user = factories.user()
    for number in range(3):
        with pytest.raises(accounts.WrongEmailOrPassword):
            accounts.authenticate(" " * number + user.email, "feil", f"192.0.2.{number}", 3)
    with pytest.raises(accounts.TooManyAttempts):
        accounts.authenticate(user.email, factories.PASSWORD, "192.0.2.9", 3)


@pytest.mark.parametrize("password", ["passordpassord", "123456789012", "liv prøvesen", "qwertyuiopasdf"])
def test_a_password_that_is_quickly_guessed_is_none(app, password):
    with pytest.raises(accounts.PasswordTooEasy):
        accounts.set_password(factories.user("Liv Prøvesen"), password)


def test_a_new_password_ends_other_sessions(app):
    user = factories.user()
    session = user.get_id()
    accounts.set_password(user, "et helt nytt passord")
    db.session.commit()
    assert accounts.by_session(session) is None
    with pytest.raises(accounts.PasswordTooShort):
        accounts.set_password(user, "kort")


@pytest.mark.parametrize("session", ["", "1", "x.1", "1.x", "999.1", "1.1.1"])
def test_a_made_up_session_is_nobodys(app, session):
    assert accounts.by_session(session) is None


def test_a_bound_counts_each_address_for_itself(app):
    for _ in range(2):
        accounts.bound("mail", "a@prove.example", 2)
    with pytest.raises(accounts.TooManyAttempts):
        accounts.bound("mail", "A@prove.example", 2)
    accounts.bound("mail", "b@prove.example", 2)
    for _ in range(5):
        accounts.bound("mail", "c@prove.example", 0)
