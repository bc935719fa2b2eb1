"""Moderation through its doors: the desk, the reporter's page, flags by anyone, incidents, rules."""

import re
from datetime import timedelta

import pytest

from gatami import accounts, jobs, reports
from gatami.db import db, now
from gatami.notifications import Delivery
from gatami.reports import Act, Flag, Look

from .. import factories

HELD = "Naboen min Per har demens. Hullet ved porten er stort."
UNCERTAIN = "I går kjørte Heggland for fort."


@pytest.fixture
def staff(sign_in):
    user = factories.user()
    sign_in(user)
    return user


@pytest.fixture
def leader(sign_in):
    user = factories.user("Astrid Prøvesen", role="leader")
    sign_in(user)
    return user


@pytest.fixture
def held(app):
    made = factories.report(text=HELD, email="ane@prove.example")
    assert made.text_publication == "held"
    return made


def act(client, report, resource, **form):
    db.session.refresh(report)
    return client.post(f"/desk/{report.ref}/{resource}", data={"version": report.version} | form)


def mails(kind):
    return db.session.query(Delivery).filter_by(kind=kind).order_by(Delivery.id).all()


def test_queue_shows_the_riskiest_first(client, staff, held):
    threat = factories.report(text="Jeg skal drepe deg hvis hullet ikke blir fylt.")
    photos = factories.report(photos=[factories.picture()])
    factories.review(photos)
    reports.hold_photo(photos.photos[0], staff)
    flagged = factories.report()
    reports.flag(flagged, "other", "192.0.2.1")
    objected = factories.report(text="Ring 400 00 123 om hullet")
    reports.object_to(reports.decisions(objected)[0], "Det er et offentlig nummer.")
    db.session.commit()
    page = client.get("/desk/moderation")
    order = re.findall(r'data-what="(\w+)"', page.text)
    assert order == ["threat", "flag", "text", "objection", "photo"]
    assert re.findall(r'class="ref">(\w+)<', page.text) == [
        report.ref for report in (threat, flagged, held, objected, photos)
    ]
    only = client.get("/desk/moderation?what=objection", headers={"HX-Request": "true"})
    assert "<html" not in only.text
    assert objected.ref in only.text
    assert held.ref not in only.text


def test_queue_is_for_staff_of_the_municipality(client, sign_in, held):
    sign_in(factories.user("Geir Prøvland", number="5045"))
    assert held.ref not in client.get("/desk/moderation").text
    for resource in ("names", "versions/1", "objections/1", "incidents", "publication"):
        assert act(client, held, resource).status_code == 404
    assert client.get("/desk/rules").status_code == 403


def test_the_case_page_explains_what_was_found(client, staff, held):
    page = client.get(f"/desk/{held.ref}").text
    assert re.search(
        r'<mark class="found" data-kind="HEALTH" data-number="\d" data-mask="\[helseopplysning\]">', page
    )
    assert "Opplysning om helse." in page
    assert "man kan se hvem det gjelder" in page


def test_every_look_at_an_original_is_written_down(client, staff, held):
    client.get(f"/desk/{held.ref}")
    look = db.session.query(Look).one()
    assert (look.user_id, look.report_id, look.what) == (staff.id, held.id, "text")
    assert "Liv Prøvesen" in client.get(f"/mine/{reports.private_token(held)}").text


def test_lift(client, staff):
    report = factories.report(text=UNCERTAIN)
    assert report.public_text == "I går kjørte [navn] for fort."
    assert "Dette er ikke navnet på noen" in client.get(f"/desk/{report.ref}").text
    seen = report.version
    assert act(client, report, "names", words="Heggland").status_code == 303
    assert "I går kjørte Heggland for fort." in client.get(f"/reports/{report.ref}").text
    assert client.post(f"/desk/{report.ref}/names", data={"version": seen, "words": "x"}).status_code == 409
    assert factories.report(text=UNCERTAIN).public_text == "I går kjørte [navn] for fort.", (
        "in this report alone"
    )


def test_only_uncertain_names_are_lifted(client, staff, held):
    page = act(client, held, "names", words="Per")
    assert page.status_code == 422


def test_release_with_a_further_mask_tells_the_author(client, staff, held, app):
    text = "[navn] [helseopplysning]. Hullet ved [hjemmeadresse] er stort."
    assert act(client, held, "text", act="release", public_text=text).status_code == 303
    shown = client.get(f"/reports/{held.ref}").text
    assert "er stort." in shown
    assert "demens" not in shown
    (mail,) = mails("reasons")
    subject, body, _ = jobs.render(mail)
    assert held.ref in subject
    assert "/objections/" in body
    assert "/mine/" in body
    assert "Ring servicekontoret." in body
    for word in ("demens", "Per", "helse", "adresse"):
        assert word not in body
    assert reports.decisions(held)[-1].kinds == ["ADDRESS", "HEALTH", "PERSON"]


@pytest.mark.parametrize(("language", "words"), [("nn", "fjerna frå den opne sida"), ("en", "Kind regards")])
def test_the_reasons_are_told_in_the_language_of_the_author(client, staff, language, words):
    made = factories.report(text=HELD, email="ane@prove.example", language=language)
    act(client, made, "text", act="remove", reason="Det er privat.")
    (mail,) = mails("reasons")
    _, body, _ = jobs.render(mail)
    assert words in body
    assert "Det er privat." not in body
    page = client.get(f"/mine/{reports.private_token(made)}").text
    assert "Det er privat." in page


def test_remove_needs_a_reason(client, staff, held):
    page = act(client, held, "text", act="remove", reason=" ")
    assert page.status_code == 422
    assert 'href="#reason"' in page.text
    assert act(client, held, "text", act="remove", reason="Mobber noen.").status_code == 303
    assert "fjernet" in client.get(f"/reports/{held.ref}").text
    db.session.refresh(held)
    assert held.text_publication == "removed"
    assert reports.decisions(held)[-1].reason == "Mobber noen."


def test_versions_are_compared_and_one_is_shown_again(client, staff):
    report = factories.report(text="Hullet er stort og farlig.")
    act(client, report, "text", act="release", public_text="Hullet er lite.")
    page = client.get(f"/desk/{report.ref}").text
    assert re.search(r"<del>.*?stort og farlig\.</del>", page)
    assert re.search(r"<ins>.*?lite\.</ins>", page)
    assert act(client, report, "versions/9").status_code == 422
    assert act(client, report, "versions/1").status_code == 303
    public = client.get(f"/reports/{report.ref}").text
    assert "Hullet er stort og farlig." in public
    assert "Hullet er lite." not in public
    assert reports.decisions(report)[-1].act == "restored"


def test_an_earlier_version_passes_the_policy_once_more(client, staff):
    report = factories.report(text="Hullet ved Storgata er stort.")
    act(client, report, "text", act="release", public_text="Hullet er lite.")
    home = factories.municipality()
    reports.set_rules(home, staff, {"hidden": {"ADDRESS": ["Storgata"]}})
    db.session.commit()
    act(client, report, "versions/1")
    shown = client.get(f"/reports/{report.ref}").text
    assert "Storgata" not in shown
    assert "[hjemmeadresse]" in shown


def test_the_second_of_two_moderators_is_told(client, staff, held):
    seen = held.version
    reports.publish_text(held, "Hullet er stort.", factories.user("Geir Prøvland"))
    db.session.commit()
    answer = client.post(
        f"/desk/{held.ref}/text", data={"version": seen, "act": "release", "public_text": "Min tekst."}
    )
    assert answer.status_code == 409
    assert "Geir Prøvland" in answer.text
    assert "Min tekst." in answer.text
    assert "Hullet er stort." in client.get(f"/reports/{held.ref}").text


# The author -----------------------------------------------------------------------------------------------------


def test_object_and_answer_by_a_second_person(client, sign_in, held):
    liv = factories.user()
    reports.publish_text(held, "[navn] [helseopplysning].", liv)
    db.session.commit()
    decision = reports.decisions(held)[-1]
    url = f"/mine/{reports.private_token(held)}/objections/{decision.id}"
    assert client.get(url).status_code == 200
    assert client.post(url, data={"text": " "}).status_code == 422
    assert client.post(url, data={"text": "x" * 3000}).status_code == 422
    assert client.post(url, data={"text": "Hullet er ikke privat."}).status_code == 303
    assert "Hullet er ikke privat." in client.get(url).text
    again = client.post(url, data={"text": "En gang til."})
    assert again.status_code == 409

    sign_in(liv)
    own = act(client, held, f"objections/{decision.id}", outcome="upheld", answer="Nei.")
    assert own.status_code == 422
    assert "Nei." in own.text
    db.session.refresh(decision)
    assert decision.answered_at is None
    client.post("/sign-out")
    sign_in(factories.user("Geir Prøvland"))
    assert act(client, held, f"objections/{decision.id}", outcome="", answer="Ja.").status_code == 422
    seen = held.version
    good = act(client, held, f"objections/{decision.id}", outcome="overturned", answer="Du har rett.")
    assert good.status_code == 303
    late = {"version": seen, "outcome": "upheld", "answer": "x"}
    assert client.post(f"/desk/{held.ref}/objections/{decision.id}", data=late).status_code == 409
    assert "Du har rett." in client.get(url).text
    (mail,) = mails("objection")
    _, body, _ = jobs.render(mail)
    assert "Geir Prøvland" in body
    assert "Du har rett." not in body
    assert client.get("/desk/moderation?what=objection").text.count("data-what=") == 0


def test_an_objection_page_is_for_its_own_report(client, held):
    other = factories.report(text="Ring 400 00 123 om hullet")
    decision = reports.decisions(other)[0]
    url = f"/mine/{reports.private_token(held)}/objections/{decision.id}"
    assert client.get(url).status_code == 404
    assert client.post(url, data={"text": "x"}).status_code == 404
    assert client.get(f"/mine/tull/objections/{decision.id}").status_code == 404


def test_the_receipt_is_the_first_statement_of_reasons(client, held):
    (mail,) = mails("receipt")
    _, body, _ = jobs.render(mail)
    assert "/objections/" in body
    assert "Ring servicekontoret." in body
    assert "demens" not in body


# Flags ----------------------------------------------------------------------------------------------------------


def flag(client, report, reason="personal", address="192.0.2.7", **form):
    return client.post(
        f"/reports/{report.ref}/flags",
        data={"reason": reason, **form},
        environ_base={"REMOTE_ADDR": address},
    )


def test_a_flag_hides_the_text_at_once(client):
    report = factories.report(email="ane@prove.example")
    shown = client.get(f"/reports/{report.ref}").text
    assert f"/reports/{report.ref}/flags/new" in shown
    form = client.get(f"/reports/{report.ref}/flags/new").text
    assert "Stort hull midt i vegen." in form
    assert flag(client, report, reason="tull").status_code == 422
    sent = flag(client, report)
    assert sent.status_code == 303
    assert "skjult" in client.get(sent.location).text
    hidden = client.get(f"/reports/{report.ref}").text
    assert "Stort hull" not in hidden
    assert "skjult inntil videre" in hidden
    assert reports.decisions(report)[-1].act == "flagged"
    assert len(mails("reasons")) == 1
    assert "noe å si fra om" in client.get(f"/reports/{report.ref}/flags/new").text


def test_another_reason_hides_nothing(client):
    report = factories.report()
    flag(client, report, reason="other")
    assert "Stort hull" in client.get(f"/reports/{report.ref}").text
    assert db.session.query(Flag).one().state == "open"


def test_what_staff_let_stand_is_not_hidden_by_the_next_flag(client, sign_in):
    report = factories.report()
    flag(client, report)
    staff = factories.user()
    reports.publish_text(report, "Stort hull midt i vegen.", staff)
    db.session.commit()
    assert db.session.query(Flag).one().state == "wrong"
    flag(client, report, address="192.0.2.8")
    assert "Stort hull" in client.get(f"/reports/{report.ref}").text
    sign_in(staff)
    assert "En besøkende sier" in client.get(f"/desk/{report.ref}").text


def test_a_flag_hides_a_photo(client):
    made = factories.report(photos=[factories.picture()])
    factories.review(made)
    db.session.commit()
    reports.publish_photo(made.photos[0], factories.user(), "Et hull")
    db.session.commit()
    key = made.photos[0].public_key
    assert key in client.get(f"/reports/{made.ref}/flags/new?photo={key}").text
    flag(client, made, photo=key)
    assert client.get(f"/photos/{key}/large.webp").status_code == 404
    assert "Stort hull" in client.get(f"/reports/{made.ref}").text
    assert flag(client, made, photo="tull").status_code == 404


def test_flags_are_bounded(client):
    some = [factories.report() for _ in range(11)]
    answers = [flag(client, report).status_code for report in some]
    assert answers == [303] * 10 + [429]
    one = factories.report()
    reports.publish_text(one, "Hullet er stort.", factories.user())
    db.session.commit()
    answers = [flag(client, one, "other", f"198.51.100.{n}").status_code for n in range(21)]
    assert answers[-1] == 429


def test_flags_of_nothing(client):
    assert client.get("/reports/INGENTING/flags/new").status_code == 404
    assert client.get("/reports/INGENTING/flags/sent").status_code == 404
    assert client.post("/reports/INGENTING/flags", data={"reason": "other"}).status_code == 404


# Incidents ------------------------------------------------------------------------------------------------------


def everywhere(ref, key):
    """Addresses where a report could be seen, and what of it stands there."""
    return {
        f"/reports/{ref}": ref,
        "/": ref,
        "/?q=avsporing": ref,
        "/map.geojson?bbox=11.9,64.4,12.1,64.6&zoom=16": ref,
        "/map.geojson?bbox=11,64,13,65&zoom=8": ref,
        "/feeds/reports.atom": ref,
        f"/feeds/reports/{ref}.atom": ref,
        f"/photos/{key}/large.webp": "RIFF",
        f"/photos/{key}/small.webp": "RIFF",
    }


def max_age(response):
    control = response.headers["Cache-Control"]
    found = re.search(r"max-age=(\d+)", control)
    return 0 if {"no-store", "no-cache"} & set(re.split(r"[,\s]+", control)) else int(found[1])


def test_an_incident_takes_everything_away(client, app, leader):
    made = factories.report(text="Sykkelen fikk avsporing i hullet.", photos=[factories.picture()])
    factories.review(made)
    db.session.commit()
    reports.publish_photo(made.photos[0], leader, "Et hull")
    follow = reports.follow(made, "ola@prove.example", "nb")
    reports.confirm_follow(follow)
    db.session.commit()
    reports.record(made, "reply", actor=leader, text="Vi kommer.", public=True)
    db.session.commit()
    jobs.deliver(app)
    stranger = app.test_client()
    key = made.photos[0].public_key
    for url, sign in everywhere(made.ref, key).items():
        for _ in range(2):
            answer = stranger.get(url)
            assert sign.encode() in answer.data, url
            assert max_age(answer) <= 5, url

    assert client.get(f"/desk/{made.ref}").text.count("incidents/new") == 1
    form = client.get(f"/desk/{made.ref}/incidents/new")
    assert form.status_code == 200
    assert act(client, made, "incidents", text=" ").status_code == 422
    opened = act(client, made, "incidents", text="En visste hvem det gjaldt.")
    assert opened.status_code == 303
    for url, sign in everywhere(made.ref, key).items():
        answer = stranger.get(url)
        assert answer.status_code == 404 or sign.encode() not in answer.data, url
    gone = stranger.get(f"/reports/{made.ref}")
    assert gone.status_code == 404
    assert "avsporing" not in gone.text
    assert "tatt ned" in gone.text

    log = client.get(opened.location)
    assert "En visste hvem det gjaldt." in log.text
    assert "ola@prove.example" in log.text
    assert (
        act(client, made, f"{opened.location.split(made.ref + '/')[1]}/entries", text="").status_code == 422
    )
    entries = opened.location + "/entries"
    assert client.post(entries, data={"text": "Ringte Datatilsynet."}).status_code == 303
    assert client.post(entries, data={"text": "Ferdig.", "act": "close"}).status_code == 303
    assert client.post(entries, data={"text": "Mer."}).status_code == 409
    closed = client.get(opened.location).text
    assert "Ringte Datatilsynet." in closed
    assert "Mer.</p>" not in closed

    assert act(client, made, "incidents", text="En gang til.").status_code == 303
    assert len(reports.incidents(made)) == 1
    seen = made.version
    assert act(client, made, "publication").status_code == 303
    assert stranger.get(f"/reports/{made.ref}").status_code == 200
    assert "avsporing" not in stranger.get(f"/reports/{made.ref}").text
    assert client.post(f"/desk/{made.ref}/publication", data={"version": seen}).status_code == 409


def test_while_it_is_taken_down_nothing_is_released(client, leader):
    made = factories.report()
    act(client, made, "incidents", text="Noe privat.")
    assert act(client, made, "text", act="release", public_text="Hullet.").status_code == 422
    assert client.get(f"/reports/{made.ref}").status_code == 404


def test_incidents_are_for_leaders(client, staff, held):
    assert client.get(f"/desk/{held.ref}/incidents/new").status_code == 404
    assert act(client, held, "incidents", text="x").status_code == 404
    assert "incidents/new" not in client.get(f"/desk/{held.ref}").text


def test_the_clock_of_an_incident(client, leader):
    made = factories.report()
    incident = reports.unpublish(made, leader, "Noe privat.")
    db.session.commit()
    assert incident.due_at - incident.at == timedelta(hours=72)
    assert made.ref in client.get("/desk/moderation").text
    incident.due_at = now() - timedelta(hours=1)
    db.session.commit()
    assert "løp ut" in client.get(f"/desk/{made.ref}/incidents/{incident.id}").text


def test_a_threat_is_told_to_the_leader(client, leader):
    made = factories.report(text="Jeg skal drepe deg hvis hullet ikke blir fylt.")
    (mail,) = mails("threat")
    _, body, _ = jobs.render(mail)
    assert f"/desk/{made.ref}" in body
    assert "drepe" not in body


# Rules ----------------------------------------------------------------------------------------------------------


def rules_form(client, **changes):
    page = client.get("/desk/rules").text
    return {"seen": re.search(r'name="seen" value="(\w+)"', page)[1], **changes}


def test_rules_are_saved_and_stay_on_record(client, leader):
    form = rules_form(
        client, **{"hold-HEALTH": "80", "hidden-PERSON": "Storekar\n Storekar \n", "open": "Ola Ordfører"}
    )
    assert client.post("/desk/rules", data=form).status_code == 303
    stored = factories.municipality().moderation
    assert stored == {
        "hold_from": {"HEALTH": 0.8},
        "hidden": {"PERSON": ["Storekar"]},
        "open": ["Ola Ordfører"],
    }
    assert db.session.query(Act).one().actor_id == leader.id
    page = client.get("/desk/rules").text
    assert "Storekar" in page
    assert "Astrid Prøvesen" in page
    assert "[navn]" in factories.report(text="Storekar graver hull.").public_text
    again = client.post("/desk/rules", data=form)
    assert again.status_code == 409, "two leaders at the same rules: the second is told"


@pytest.mark.parametrize(
    "wrong", [{"hold-HEALTH": "mye"}, {"hold-HEALTH": "101"}, {"open": "x"}, {"hidden-PERSON": "x" * 200}]
)
def test_rules_that_cannot_be(client, leader, wrong):
    page = client.post("/desk/rules", data=rules_form(client, **wrong))
    assert page.status_code == 422
    assert "ds-error-summary" in page.text
    assert factories.municipality().moderation == {}


def test_rules_are_for_leaders(client, staff):
    assert client.get("/desk/rules").status_code == 403
    assert client.post("/desk/rules").status_code == 403
    assert accounts.ACTS["lead"]


def periods_form(client, **changes):
    page = client.get("/desk/rules").text
    form = page.split('action="/desk/rules/retention"')[1]
    typed = {"seen": re.search(r'name="seen" value="([^"]+)"', form)[1], "municipality": "5047"}
    typed |= {
        "contact_days": "90",
        "original_months": "12",
        "public_text_months": "",
        "public_photos_months": "24",
    }
    return typed | changes


def test_periods_are_saved_and_stay_on_record(client, leader):
    form = periods_form(client, contact_days="30", public_photos_months="")
    assert client.post("/desk/rules/retention", data=form).status_code == 303
    kept = factories.municipality().retention
    assert (kept["contact_days"], kept["original_months"], kept["public_photos_months"]) == (30, 12, None)
    page = client.get("/desk/rules").text
    assert "fra 90 til 30" in page
    assert "fra 24 til aldri" in page
    assert client.post("/desk/rules/retention", data=form).status_code == 409, (
        "the second of two leaders is told"
    )


@pytest.mark.parametrize(
    "wrong",
    [{"contact_days": ""}, {"contact_days": "-1"}, {"original_months": "ti"}, {"public_text_months": "9999"}],
)
def test_periods_that_cannot_be(client, leader, wrong):
    page = client.post("/desk/rules/retention", data=periods_form(client, **wrong))
    assert page.status_code == 422
    assert "Skriv et helt tall fra 0 til 1200." in page.text
    assert not factories.municipality().retention


def test_periods_are_for_leaders(client, staff):
    assert client.post("/desk/rules/retention").status_code == 403
