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
    "person.spoken": _in(
        "Navn, etter det som står om det i setningen.",
        "Namn, etter det som står om det i setninga.",
        "A name, by what the sentence says of it.",
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
    "unread": _in(
        "Teksten er for lang til å gås gjennom.",
        "Teksten er for lang til å bli gått gjennom.",
        "The text is too long to be checked.",
    ),
    # What the trained weights found, by the class of words that speaks loudest in it.
    "health.illness": _in(
        "En sykdom eller diagnose hos en person.",
        "Ein sjukdom eller diagnose hos ein person.",
        "A person's illness or diagnosis.",
    ),
    "health.symptom": _in("Plager en person har.", "Plager ein person har.", "What ails a person."),
    "health.mental": _in(
        "Den psykiske helsen til en person.",
        "Den psykiske helsa til ein person.",
        "A person's mental health.",
    ),
    "health.body": _in("Kroppen til en person.", "Kroppen til ein person.", "A person's body."),
    "health.injury": _in("En skade på en person.", "Ein skade på ein person.", "An injury to a person."),
    "health.aid": _in(
        "Et hjelpemiddel en person bruker.",
        "Eit hjelpemiddel ein person bruker.",
        "An aid that a person uses.",
    ),
    "health.treatment": _in(
        "Behandling, undersøkelse eller sykmelding.",
        "Behandling, undersøking eller sjukmelding.",
        "Treatment, an examination or sick leave.",
    ),
    "health.medicine": _in(
        "Medisin en person bruker.", "Medisin ein person bruker.", "Medicine that a person takes."
    ),
    "health.carer": _in(
        "Lege, sykehus eller pleie for en person.",
        "Lege, sjukehus eller pleie for ein person.",
        "A person's doctor, hospital or care.",
    ),
    "health.disability": _in(
        "En funksjonsnedsettelse hos en person.",
        "Ei funksjonsnedsetjing hos ein person.",
        "A person's disability.",
    ),
    "health.outcome": _in(
        "Hva helsen gjør at en person ikke klarer.",
        "Kva helsa gjer at ein person ikkje klarer.",
        "What health keeps a person from doing.",
    ),
    "health.sentence": _in(
        "Setningen sier noe om helsen til en person.",
        "Setninga seier noko om helsa til ein person.",
        "The sentence tells of a person's health.",
    ),
    "special.religion": _in("Troen til en person.", "Trua til ein person.", "A person's faith."),
    "special.origin": _in("Opphavet til en person.", "Opphavet til ein person.", "A person's origin."),
    "special.country": _in(
        "Landet en person kommer fra.", "Landet ein person kjem frå.", "The country that a person comes from."
    ),
    "special.sexuality": _in(
        "Legning eller kjønnsidentitet.", "Legning eller kjønnsidentitet.", "Sexuality or gender identity."
    ),
    "special.politics": _in(
        "Hva en person mener eller stemmer politisk.",
        "Kva ein person meiner eller røystar politisk.",
        "A person's politics or vote.",
    ),
    "special.union": _in(
        "Medlemskap i en fagforening.", "Medlemskap i ei fagforeining.", "Membership of a trade union."
    ),
    "special.crime": _in(
        "Noe straffbart om en person.", "Noko straffbart om ein person.", "A crime laid to a person."
    ),
    "special.drug": _in("Rusmidler og en person.", "Rusmiddel og ein person.", "Drugs and a person."),
    "special.police": _in(
        "Politi, rettssak eller fengsel om en person.",
        "Politi, rettssak eller fengsel om ein person.",
        "Police, court or prison of a person.",
    ),
    "special.sentence": _in(
        "Setningen sier noe sensitivt om en person.",
        "Setninga seier noko sensitivt om ein person.",
        "The sentence tells something sensitive of a person.",
    ),
    "family.welfare": _in(
        "Barnevern eller fosterhjem for noen.",
        "Barnevern eller fosterheim for nokon.",
        "Somebody's child welfare or foster care.",
    ),
    "family.benefit": _in(
        "Hjelp fra NAV eller sosialtjenesten til noen.",
        "Hjelp frå NAV eller sosialtenesta til nokon.",
        "Somebody's welfare benefits.",
    ),
    "family.debt": _in(
        "Gjelden eller pengenøden til noen.",
        "Gjelda eller pengenauda til nokon.",
        "Somebody's debts or want of money.",
    ),
    "family.split": _in(
        "Et samlivsbrudd eller en barnefordeling.",
        "Eit samlivsbrot eller ei barnefordeling.",
        "A break-up or a question of custody.",
    ),
    "family.violence": _in(
        "Vold eller trusler i en familie.",
        "Vald eller truslar i ein familie.",
        "Violence or threats in a family.",
    ),
    "family.neglect": _in("Omsorgssvikt.", "Omsorgssvikt.", "Neglect of children."),
    "family.child": _in("Barna i en familie.", "Borna i ein familie.", "The children of a family."),
    "family.kin": _in(
        "Forholdet mellom folk i en familie.",
        "Tilhøvet mellom folk i ein familie.",
        "How people in a family stand to each other.",
    ),
    "family.conflict": _in("En strid i en familie.", "Ein strid i ein familie.", "A quarrel in a family."),
    "family.sentence": _in(
        "Setningen sier noe om familieforholdene til noen.",
        "Setninga seier noko om familieforholda til nokon.",
        "The sentence tells of somebody's family matters.",
    ),
    "abuse.insult": _in("En fornærmelse mot noen.", "Ei fornærming mot nokon.", "An insult to somebody."),
    "abuse.unfit": _in(
        "Nedsettende ord om noen.", "Nedsetjande ord om nokon.", "Contemptuous words about somebody."
    ),
    "abuse.slur": _in("Et skjellsord om folk.", "Eit skjellsord om folk.", "A term of abuse for people."),
    "abuse.sexual": _in("En seksuell krenkelse.", "Ei seksuell krenking.", "A sexual insult."),
    "abuse.beast": _in("Noen kalles et dyr.", "Nokon blir kalla eit dyr.", "Somebody is called a beast."),
    "abuse.threat": _in(
        "En trussel, eller et ønske om at noe vondt skal skje noen.",
        "Ein trussel, eller eit ønske om at noko vondt skal hende nokon.",
        "A threat, or a wish that somebody comes to harm.",
    ),
    "abuse.away": _in(
        "Noen bes om å komme seg vekk.",
        "Nokon blir bedne om å kome seg vekk.",
        "Somebody is told to go away.",
    ),
    "abuse.curse": _in("Banning mot noen.", "Banning mot nokon.", "Swearing at somebody."),
    "abuse.group": _in(
        "Nedsettende om en gruppe mennesker.",
        "Nedsetjande om ei gruppe menneske.",
        "Contempt for a group of people.",
    ),
    "abuse.office": _in(
        "Nedsettende om folk på jobb.", "Nedsetjande om folk på jobb.", "Contempt for people at work."
    ),
    "abuse.sentence": _in(
        "Setningen er en krenkelse av noen.",
        "Setninga er ei krenking av nokon.",
        "The sentence abuses somebody.",
    ),
    "municipality.word": _in(
        "Et ord som kommunen har valgt å skjule.",
        "Eit ord som kommunen har valt å skjule.",
        "A word that the municipality chose to hide.",
    ),
}
