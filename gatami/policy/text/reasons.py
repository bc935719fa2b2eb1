"""The reason behind each rule, in three languages."""

from __future__ import annotations

from collections.abc import Mapping


def _in(nb: str, nn: str, en: str) -> Mapping[str, str]:
    return {"nb": nb, "nn": nn, "en": en}


REASONS: Mapping[str, Mapping[str, str]] = {
    "phone.shape": _in(
        "Har formen til et telefonnummer.",
        "Har forma til eit telefonnummer.",
        "Has the shape of a phone number.",
    ),
    "phone.cue": _in(
        "Åtte sifre etter et ord som «ring» eller «tlf».",
        "Åtte siffer etter eit ord som «ring» eller «tlf».",
        "Eight digits after a word such as 'call' or 'phone'.",
    ),
    "phone.abroad": _in(
        "Har formen til et utenlandsk telefonnummer.",
        "Har forma til eit utanlandsk telefonnummer.",
        "Has the shape of a phone number abroad.",
    ),
    "phone.words": _in(
        "Et telefonnummer skrevet med ord.",
        "Eit telefonnummer skrive med ord.",
        "A phone number written in words.",
    ),
    "email.shape": _in(
        "Har formen til en e-postadresse.",
        "Har forma til ei e-postadresse.",
        "Has the shape of an e-mail address.",
    ),
    "email.disguised": _in(
        "En e-postadresse skrevet med ord for krøllalfa eller punktum.",
        "Ei e-postadresse skriven med ord for krøllalfa eller punktum.",
        "An e-mail address with words for the at sign or the dot.",
    ),
    "id.control": _in(
        "Elleve sifre med dato og riktige kontrollsifre.",
        "Elleve siffer med dato og rette kontrollsiffer.",
        "Eleven digits with a date and valid control digits.",
    ),
    "id.date": _in(
        "Elleve sifre som begynner med en dato.",
        "Elleve siffer som byrjar med ein dato.",
        "Eleven digits that start with a date.",
    ),
    "id.cue": _in(
        "Et nummer etter et ord som «fødselsnummer».",
        "Eit nummer etter eit ord som «fødselsnummer».",
        "A number after a word such as 'identity number'.",
    ),
    "id.words": _in(
        "Elleve sifre skrevet med ord.", "Elleve siffer skrivne med ord.", "Eleven digits written in words."
    ),
    "account.control": _in(
        "Elleve sifre med riktig kontrollsiffer for konto.",
        "Elleve siffer med rett kontrollsiffer for konto.",
        "Eleven digits with a valid control digit of an account.",
    ),
    "account.cue": _in(
        "Elleve sifre i kontoform eller etter ordet konto.",
        "Elleve siffer i kontoform eller etter ordet konto.",
        "Eleven digits in the shape of an account or after that word.",
    ),
    "account.iban": _in("Et IBAN.", "Eit IBAN.", "An IBAN."),
    "account.card": _in(
        "Seksten sifre med riktig kontrollsiffer for bankkort.",
        "Seksten siffer med rett kontrollsiffer for bankkort.",
        "Sixteen digits with a valid control digit of a bank card.",
    ),
    "plate.shape": _in(
        "Har formen til et norsk registreringsnummer.",
        "Har forma til eit norsk registreringsnummer.",
        "Has the shape of a Norwegian number plate.",
    ),
    "plate.cue": _in(
        "Ser ut som et registreringsnummer, og teksten nevner et kjøretøy.",
        "Ser ut som eit registreringsnummer, og teksten nemner eit køyretøy.",
        "Looks like a number plate, and the text mentions a vehicle.",
    ),
    "plate.abroad": _in(
        "Ser ut som et utenlandsk registreringsnummer.",
        "Ser ut som eit utanlandsk registreringsnummer.",
        "Looks like a number plate from abroad.",
    ),
    "handle.profile": _in(
        "Lenke til en profil i sosiale medier.",
        "Lenkje til ein profil i sosiale medium.",
        "A link to a profile in social media.",
    ),
    "handle.at": _in(
        "Et brukernavn med krøllalfa foran.",
        "Eit brukarnamn med krøllalfa framfor.",
        "A user name behind an at sign.",
    ),
    "handle.ip": _in("En IP-adresse.", "Ei IP-adresse.", "An IP address."),
    "handle.cue": _in(
        "Et brukernavn etter navnet på en tjeneste.",
        "Eit brukarnamn etter namnet på ei teneste.",
        "A user name after the name of a service.",
    ),
    "handle.shape": _in(
        "Har formen til et brukernavn, og teksten nevner en tjeneste.",
        "Har forma til eit brukarnamn, og teksten nemner ei teneste.",
        "Has the shape of a user name, and the text mentions a service.",
    ),
    "address.home": _in(
        "En gate med nummer som teksten knytter til en person.",
        "Ei gate med nummer som teksten knyter til ein person.",
        "A street and number that the text ties to a person.",
    ),
    "address.signature": _in(
        "En gate med nummer ved siden av navn eller kontaktopplysninger.",
        "Ei gate med nummer ved sida av namn eller kontaktopplysningar.",
        "A street and number beside a name or contact details.",
    ),
    "person.full": _in(
        "Fornavn og etternavn etter hverandre.",
        "Førenamn og etternamn etter kvarandre.",
        "A given name and a surname in a row.",
    ),
    "person.given": _in(
        "Står i listen over fornavn.", "Står i lista over førenamn.", "Is in the list of given names."
    ),
    "person.surname": _in(
        "Står i listen over etternavn, på en plass der folk nevnes.",
        "Står i lista over etternamn, på ein stad der folk blir nemnde.",
        "Is in the list of surnames, where people are mentioned.",
    ),
    "person.possessive": _in(
        "Et navn som eier noe («Kari sin»).",
        "Eit namn som eig noko («Kari sin»).",
        "A name that owns something.",
    ),
    "person.lower": _in(
        "Navn skrevet med små bokstaver.", "Namn skrive med små bokstavar.", "A name in lower case."
    ),
    "person.signature": _in("Navn i en underskrift.", "Namn i ei underskrift.", "A name in a signature."),
    "person.greeting": _in("Navn etter en hilsen.", "Namn etter ei helsing.", "A name after a greeting."),
    "person.called": _in(
        "Et navn etter «heter» eller «navn».",
        "Eit namn etter «heiter» eller «namn».",
        "A name after 'called' or 'name'.",
    ),
    "person.title": _in(
        "Et navn etter en tittel, slektning eller nabo.",
        "Eit namn etter ein tittel, slektning eller nabo.",
        "A name after a title, a relative or a neighbour.",
    ),
    "person.article": _in(
        "Et navn etter «han» eller «ho», slik dialekten sier det.",
        "Eit namn etter «han» eller «ho», slik dialekten seier det.",
        "A name after 'han' or 'ho', as the dialect has it.",
    ),
    "person.weights": _in(
        "Trenede vekter holder ordet for et personnavn.",
        "Trena vekter held ordet for eit personnamn.",
        "Trained weights take the word for a person's name.",
    ),
    "person.repeated": _in(
        "Samme navn som et annet sted i teksten.",
        "Same namn som ein annan stad i teksten.",
        "The same name as elsewhere in the text.",
    ),
    "person.initials": _in(
        "Initialer, alene eller foran et etternavn.",
        "Initialar, åleine eller framfor eit etternamn.",
        "Initials, alone or before a surname.",
    ),
    "health.word": _in(
        "Et ord om helse, sagt om en person.",
        "Eit ord om helse, sagt om ein person.",
        "A word about health, said of a person.",
    ),
    "health.clause": _in(
        "En setning om helsen til en person.",
        "Ei setning om helsa til ein person.",
        "A clause about a person's health.",
    ),
    "health.injury": _in("En skade på en person.", "Ein skade på ein person.", "An injury to a person."),
    "special.word": _in(
        "Et ord om tro, opphav, legning eller lovbrudd, sagt om en person.",
        "Eit ord om tru, opphav, legning eller lovbrot, sagt om ein person.",
        "A word about belief, origin, sexuality or crime, said of a person.",
    ),
    "special.clause": _in(
        "En setning om tro, opphav, legning eller lovbrudd hos en person.",
        "Ei setning om tru, opphav, legning eller lovbrot hos ein person.",
        "A clause about a person's belief, origin, sexuality or crime.",
    ),
    "special.politics": _in(
        "Politisk syn hos en person.", "Politisk syn hos ein person.", "A person's political view."
    ),
    "special.origin": _in("Opphavet til en person.", "Opphavet til ein person.", "A person's origin."),
    "family.word": _in(
        "Et ord om barnevern, sosiale tjenester eller vold i hjemmet.",
        "Eit ord om barnevern, sosiale tenester eller vald i heimen.",
        "A word about child welfare, social services or violence at home.",
    ),
    "family.clause": _in(
        "En setning om forhold i en familie.",
        "Ei setning om forhold i ein familie.",
        "A clause about matters within a family.",
    ),
    "unread": _in(
        "Teksten er for lang til å gås gjennom.",
        "Teksten er for lang til å bli gått gjennom.",
        "The text is too long to be checked.",
    ),
    "abuse.slur": _in("Et skjellsord om folk.", "Eit skjellsord om folk.", "A term of abuse for people."),
    "abuse.insult": _in(
        "En fornærmelse rettet mot noen.", "Ei fornærming retta mot nokon.", "An insult aimed at somebody."
    ),
    "abuse.group": _in(
        "Nedsettende ord om en gruppe.", "Nedsetjande ord om ei gruppe.", "Contempt for a group."
    ),
    "abuse.threat": _in(
        "En trussel eller et ønske om at noe vondt skal skje noen.",
        "Ein trussel eller eit ønske om at noko vondt skal skje nokon.",
        "A threat, or a wish that harm befalls somebody.",
    ),
}
