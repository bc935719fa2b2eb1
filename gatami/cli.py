"""The command line: one group per noun, `flask --app wsgi <noun> <verb>`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup, FlaskGroup
from sqlalchemy import LargeBinary, select, type_coerce, update

from . import accounts, jobs, reports
from .db import DataKey, Sealed, close_the_gate_on_postgresql, db, keyring, now
from .keys import Destroyed
from .keys import keys as data_keys
from .municipalities import Municipality
from .policy import photos, replies
from .policy.deadlines import OSLO
from .policy.lines import scrub_lines

PHOTO_SECONDS, PHOTO_MEMORY = 60, 2 * 1024**3
"""What a picture may cost on the command line, where somebody waits for it."""

gate = AppGroup("gate", help="The public engine's rights.")
keys = AppGroup("keys", help="The keys that seal private data.")
users = AppGroup("users", help="Accounts and roles.")
policy_group = AppGroup("policy", help="The policy layer on its own.")
retention_group = AppGroup("retention", help="How long what is kept.")
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
    for name in data_keys.names():
        # One that is destroyed meanwhile stays so.
        with contextlib.suppress(Destroyed):
            DataKey.named(name).keep()
            number += 1
    rows = _rotate_columns()
    click.echo(f"{number} data keys and {rows} rows are sealed under the current key.")


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
                    if value is not None and not Sealed.has_data_key(value)
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


@policy_group.command("reply")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb")
@click.option("--name", required=True, help="Of the one who writes the reply.")
def reply(language: str, name: str) -> None:
    """Read a reply from standard input, and print what to see to before it is sent, a line of JSON for each remark."""
    text = sys.stdin.read().strip()
    for remark in replies.check(text, language, name):
        rule = replies.RULES[remark.rule]
        told = {
            "start": remark.start,
            "end": remark.end,
            "rule": remark.rule,
            "stops": remark.stops,
            "instead": remark.instead,
            "heading": rule.heading,
            "advice": rule.advice[language],
        }
        click.echo(json.dumps(told, ensure_ascii=False))


@policy_group.command("photo")
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
def photo(source: Path, target: Path) -> None:
    """Write the safe large picture of IN to OUT (.jpg, or else WebP) and print what was covered as JSON."""
    try:
        kind = photos.check(data := source.read_bytes())
        made = photos.make(data, seconds=PHOTO_SECONDS, memory=PHOTO_MEMORY)
    except (photos.Refused, photos.Unreadable) as reason:
        raise click.ClickException(
            f"{type(reason).__name__}: {reason or 'no picture that is taken'}"
        ) from None
    wanted = "jpg" if target.suffix.lower() in (".jpg", ".jpeg") else "webp"
    target.write_bytes(next(r.data for r in made.renditions if (r.size, r.format) == ("large", wanted)))
    told = {
        "kind": kind,
        "width": made.width,
        "height": made.height,
        "boxes": [box.asdict() for box in made.boxes],
        "lines": made.lines,
        "text_share": round(made.text_share, 4),
        "left": [box.asdict() for box in made.left],
    }
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


@retention_group.command("run")
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%d"]), help="The day that it is run as of; today where none is given."
)
def run_retention(at: datetime | None) -> None:
    """Forget what was kept long enough, as each night does; print how much of what."""
    _print_forgotten(jobs.forget(at.replace(tzinfo=OSLO) if at else now()))


@retention_group.command("replay")
def replay() -> None:
    """After restoring a backup, before the site opens: forget again what had been forgotten since it was taken."""
    done = reports.replay(now())
    db.session.commit()
    jobs.shred()
    _print_forgotten(done)


def _print_forgotten(done: Counter[str]) -> None:
    for what, number in sorted(done.items()):
        click.echo(f"{what}: {number}")
    if not done:
        click.echo("Nothing was to be forgotten.")


@retention_group.command("keep")
@click.argument("ref")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--why", prompt=True, help="Such as the complaint or the claim that the case is needed for.")
@click.option("--by", prompt=True, help="The name of who decided it.")
def keep(ref: str, until: datetime, why: str, by: str) -> None:
    """Put a hold on a case: nothing of it is forgotten until then."""
    reports.keep(_report(ref), until.replace(tzinfo=OSLO), why, by=by)
    db.session.commit()


@retention_group.command("let-go")
@click.argument("ref")
def let_go(ref: str) -> None:
    """Take the hold from a case."""
    reports.let_go(_report(ref))
    db.session.commit()


@retention_group.command("archive")
@click.argument("ref")
@click.option(
    "--done", is_flag=True, help="The archive has it; without this it is kept until the archive has."
)
def archive(ref: str, done: bool) -> None:
    """Say that a case belongs in the municipality's archive."""
    reports.archive(_report(ref), now() if done else None)
    db.session.commit()


def _report(ref: str) -> reports.Report:
    found = reports.by_ref(ref)
    if found is None:
        raise click.ClickException(f"There is no report {ref}.")
    return found


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


def asks_the_policy_alone() -> bool:
    """Whether `flask policy …` was typed: it needs neither secrets nor a database, so that anybody can try the policy."""
    context = click.get_current_context(silent=True)
    words = (word for word in sys.argv[1:] if not word.startswith("-"))
    return (
        context is not None
        and isinstance(context.command, FlaskGroup)
        and any(word == policy_group.name for word in words)
    )


def init_app(app: Flask) -> None:
    for group in (gate, keys, users, policy_group, retention_group, demo_group):
        app.cli.add_command(group)
