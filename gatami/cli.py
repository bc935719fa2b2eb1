"""The command line: one group per noun, `flask --app wsgi <noun> <verb>`."""

from __future__ import annotations

import sys

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import LargeBinary, select, type_coerce, update

from . import accounts, reports
from .db import DataKey, Sealed, close_the_gate_on_postgresql, db, keyring
from .municipalities import Municipality
from .policy.lines import scrub_lines

gate = AppGroup("gate", help="The public engine's rights.")
keys = AppGroup("keys", help="The keys that seal private data.")
users = AppGroup("users", help="Accounts and roles.")
policy_group = AppGroup("policy", help="The policy layer on its own.")
demo_group = AppGroup("demo", help="The demo municipalities.")


@gate.command("apply")
def apply_gate() -> None:
    """Open the views public_* to the public role, and nothing else. Run it after each migration."""
    engine = db.engines[None]
    if engine.dialect.name != "postgresql":
        click.echo("SQLite: the gate is the connection's own authorizer; nothing to apply.")
        return
    views = close_the_gate_on_postgresql(engine, current_app.config["PUBLIC_DATABASE_URL"])
    click.echo(f"The public role reads {', '.join(views)}, and nothing else.")


@keys.command("rotate")
def rotate() -> None:
    """Seal everything anew under the first of GATAMI_ENCRYPTION_KEYS; then the old keys can be dropped."""
    number = 0
    last = 0
    while rows := db.session.scalars(
        select(reports.Original)
        .where(reports.Original.report_id > last)
        .order_by(reports.Original.report_id)
        .limit(500)
    ).all():
        for original in rows:
            original.key = DataKey.unwrap(original.key).wrapped()
        last = rows[-1].report_id
        number += len(rows)
        db.session.commit()
        db.session.expunge_all()
    number += _rotate_columns()
    click.echo(f"{number} rows are sealed under the current key.")


def _rotate_columns() -> int:
    number = 0
    for table in db.metadata.sorted_tables:
        sealed = [column for column in table.columns if isinstance(column.type, Sealed)]
        if not sealed:
            continue
        key = next(iter(table.primary_key.columns))
        last = 0
        raw = [type_coerce(column, LargeBinary()).label(column.name) for column in sealed]
        while rows := db.session.execute(select(key, *raw).where(key > last).order_by(key).limit(500)).all():
            for row in rows:
                values = {
                    column.name: type_coerce(keyring.seal(keyring.open(value)), LargeBinary())
                    for column, value in zip(sealed, row[1:], strict=True)
                    if value is not None
                }
                if values:
                    db.session.execute(update(table).where(key == row[0]).values(values))
            last = rows[-1][0]
            number += len(rows)
            db.session.commit()
    return number


@users.command("add")
@click.argument("email")
@click.argument("name")
@click.option("--municipality", help="Number of the municipality in which the role holds.")
@click.option("--role", type=click.Choice(accounts.ROLES), default="resident")
@click.password_option()
def add_user(email: str, name: str, municipality: str | None, role: str, password: str) -> None:
    """Make an account, or change its name, password and role."""
    user = accounts.by_email(email) or accounts.add(email, name)
    try:
        accounts.set_password(user, password)
    except accounts.PasswordTooEasy:
        raise click.ClickException("The password is too easy to guess.") from None
    except accounts.PasswordTooShort:
        raise click.ClickException(
            f"The password needs at least {accounts.PASSWORD_MINIMUM} characters."
        ) from None
    if municipality:
        found = db.session.scalar(select(Municipality).where(Municipality.number == municipality))
        if found is None:
            raise click.ClickException(f"There is no municipality {municipality}.")
        accounts.grant(user, found, role)
    db.session.commit()
    click.echo(f"{email} is {role}{' in ' + municipality if municipality else ''}.")


@policy_group.command("scrub")
def scrub() -> None:
    """Scrub JSON lines `{"text": …}` from standard input: `{"public": …, "findings": […]}`."""
    for line in scrub_lines(sys.stdin):
        click.echo(line)


@demo_group.command("load")
@click.option(
    "--reports", "number", type=int, default=0, help="So many generated reports more, for measuring."
)
def load(number: int) -> None:
    """Load municipalities, staff and some sixty reports; with --reports, more. A second load changes nothing."""
    from . import demo

    if current_app.config["MODE"] == "production":
        raise click.ClickException(
            "The demo has sign-ins that everyone knows; it is not loaded in production."
        )
    demo.load()
    db.session.commit()
    if number:
        demo.load_many(number)
    _print_sign_ins()


@demo_group.command("sign-ins")
def sign_ins() -> None:
    """Print who can sign in to the demo."""
    _print_sign_ins()


def _print_sign_ins() -> None:
    from . import demo

    people = demo.sign_ins()
    click.echo(f"Sign in at {current_app.config['BASE_URL']}/sign-in, password {people[0].password}")
    for person in people:
        click.echo(f"  {person.email:28} {person.role:14} {person.municipality}")


def init_app(app: Flask) -> None:
    for group in (gate, keys, users, policy_group, demo_group):
        app.cli.add_command(group)
