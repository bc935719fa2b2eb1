"""What a schema step does to rows that were there before it."""

import json
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask_migrate import upgrade
from sqlalchemy import bindparam, text
from sqlalchemy.types import LargeBinary

from gatami import create_app, reports
from gatami.db import db, keyring

from .conftest import test_settings

NAMES = json.dumps({"nb": "Prøve"})
AREA = "ST_GeomFromText('MULTIPOLYGON(((11 64, 12 64, 12 65, 11 64)))', 4326)"
PLACE = "ST_GeomFromText('POINT(11.9 64.4)', 4326)"
BEFORE = f"""
    INSERT INTO municipalities (id, number, names, lat, lon, zoom, active, public_contacts, border)
        VALUES (1, '5047', '{NAMES}', 64.5, 11.9, 11, true, '[]', {AREA});
    INSERT INTO categories (id, municipality_id, slug, "group", names, icon, questions, response_days, repair_days,
                            duplicate_radius_m, position)
        VALUES (1, 1, 'hull', 'road', '{NAMES}', 'pothole', '[]', 3, 15, 50, 1);
    INSERT INTO reports (id, ref, municipality_id, category_id, language, lat, lon, state, text_publication,
                         follower_count, response_due_at, repair_due_at, created_at, changed_at, version, place)
        VALUES (1, 'ABCD2345', 1, 1, 'nb', 64.4, 11.9, 'received', 'held', 1, '2026-01-01 00:00:00',
                '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00', 1, {PLACE})
"""


def test_keys_and_contact_details_move_out_of_the_original(backend, tmp_path):
    database = backend._named(f"moved{os.getpid()}")
    if backend.server:
        backend._execute(f'CREATE DATABASE "moved{os.getpid()}"')
    app = create_app(**test_settings(tmp_path, database))
    with app.app_context():
        upgrade(revision="0002")
        key, nonce = AESGCM.generate_key(bit_length=256), b"n" * 12
        contents = {
            "text": "Hull",
            "masked": "Hull",
            "name": "Kari",
            "email": "kari@prove.example",
            "phone": "",
        }
        sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(contents).encode(), None)
        for statement in BEFORE.split(";"):
            db.session.execute(text(statement))
        original = text(
            "INSERT INTO originals (report_id, key, sealed, link_number) VALUES (1, :key, :sealed, 1)"
        )
        original = original.bindparams(
            bindparam("key", type_=LargeBinary), bindparam("sealed", type_=LargeBinary)
        )
        db.session.execute(original, {"key": keyring.seal(key), "sealed": sealed})
        follow = text(
            "INSERT INTO follows (report_id, email, email_fingerprint, language, is_reporter, created_at)"
            " VALUES (1, :email, 'x', 'nb', true, '2026-01-01 00:00:00')"
        ).bindparams(bindparam("email", type_=LargeBinary))
        db.session.execute(follow, {"email": keyring.seal(b'"kari@prove.example"')})
        db.session.commit()

        upgrade()
        made = reports.by_ref("ABCD2345")
        assert len(made.original.key) == len(made.original.contact_key) == 16
        found = made.original.contents
        assert (found.text, found.name, found.email) == ("Hull", "Kari", "kari@prove.example")
        assert b"Kari" not in made.original.data_key.open(made.original.sealed)
        assert made.municipality.retention == {}
        assert [f.email.key_name for f in db.session.scalars(db.select(reports.Follow))] == [
            made.original.contact_key
        ]
        reports.erase(made)
        db.session.commit()
        reports.shred()
        db.session.commit()
        assert reports.by_ref("ABCD2345").original.forgotten
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
    backend.drop(database)
