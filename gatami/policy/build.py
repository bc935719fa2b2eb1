"""Rebuild what `policy.text` reads: name lists, the dictionary and the trained weights.

    python -m gatami.policy.build --norne FOLDER

Needs the package norwegian-fake-data, Debian's apertium-nno-nob, lttoolbox-dev and wnorwegian, and a folder with NorNE.
The lists written here are plain text; corrections belong in `names_added.txt` and `not_names.txt`, which survive a rebuild.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from .text.weights import Form

WORDS = Path(__file__).with_name("words")
DICTIONARIES = (Path("/usr/share/dict/bokmål"), Path("/usr/share/dict/nynorsk"))
TRANSDUCERS = ("nob-nno", "nno-nob")
TRANSDUCER_FOLDER = Path("/usr/share/apertium/apertium-nno-nob")
SEED = 5047
TURNS = 5  # How often each of our own reports is read in training, each time with other names.
ANY = "any"
UNKNOWN = "00"  # What the lists say of a name that none of them has.

Marked = tuple[str, list[tuple[int, int, str]]]
MATTERS = {"c1": 0.5, "c2": 0.5, "max_iterations": 60, "feature.minfreq": 2}


def proper_names(transducer: Path) -> dict[str, set[str]]:
    """The proper names of an Apertium analyser by tag: `<ant>` given names, `<cog>` surnames, `<top>` places, `<org>`."""
    printed = subprocess.run(["lt-print", str(transducer)], check=True, capture_output=True, text=True).stdout
    largest = max(printed.split("--\n"), key=len)
    arcs: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    plain: dict[int, list[int]] = defaultdict(list)
    reaching: set[int] = set()
    for line in largest.splitlines():
        fields = line.split("\t")
        if len(fields) < 4:
            continue
        source, target, given, out = int(fields[0]), int(fields[1]), fields[2], fields[3]
        given = "" if given == "ε" else given
        arcs[source].append((target, given, out))
        if out == "<np>":
            reaching.add(source)
        elif not out.startswith("<"):
            plain[target].append(source)
    stack = list(reaching)
    while stack:
        for source in plain[stack.pop()]:
            if source not in reaching:
                reaching.add(source)
                stack.append(source)
    found: dict[str, set[str]] = defaultdict(set)
    seen: set[tuple[int, str]] = set()
    paths = [(0, "")]
    while paths:
        state, form = paths.pop()
        if (state, form) in seen or len(form) > 28:
            continue
        seen.add((state, form))
        for target, given, out in arcs[state]:
            if given and not (given.isalpha() or given in "-' ."):
                continue
            if out == "<np>":
                for tag in (tag for _, _, tag in arcs[target] if tag.startswith("<")):
                    found[tag].add(form + given)
            elif not out.startswith("<") and target in reaching and (given or target > state):
                paths.append((target, form + given))
    return found


def census() -> tuple[Counter[str], Counter[str]]:
    """Given names and surnames of Statistics Norway with a rough count of living bearers."""
    packed = resources.files("norwegian_fake_data").joinpath("data/names.json.gz").read_bytes()
    data = json.loads(gzip.decompress(packed))
    shares: Counter[str] = Counter()
    for cohort, names in data["first_names"].items():
        if int(cohort.split(":")[0]) >= 1930:
            shares.update(dict(names))
    # A share of 1,000 is one per cent of a cohort of about 30,000 girls or boys.
    given = Counter({name: round(share * 0.3) for name, share in shares.items()})
    surnames: Counter[str] = Counter()
    for _, names in sorted(data["surnames"].items()):
        surnames |= Counter(dict(names))
    return given, surnames


def write_list(name: str, head: str, rows: list[str]) -> None:
    (WORDS / name).write_text(
        "".join(f"# {line}\n" for line in head.splitlines()) + "\n".join(rows) + "\n", encoding="utf-8"
    )


def without_genitives(forms: set[str]) -> set[str]:
    """Without the genitives whose base is in the list as well."""
    return {
        form for form in forms if not (form.endswith("s") and form[:-1] in forms) and not form.endswith("'")
    }


def build_names() -> None:
    given, surnames = census()
    tagged: dict[str, set[str]] = defaultdict(set)
    for pair in TRANSDUCERS:
        for tag, forms in proper_names(TRANSDUCER_FOLDER / f"{pair}.automorf.bin").items():
            tagged[tag] |= {form for form in forms if form[:1].isupper() and len(form) > 1}
    for form in without_genitives(tagged["<ant>"]):
        given.setdefault(form, 0)
    for form in without_genitives(tagged["<cog>"]):
        surnames.setdefault(form, 0)
    places = {
        form
        for form in without_genitives(tagged["<top>"])
        if " " not in form and form[1:].islower() and len(form) > 2
    }
    organisations = {form for form in without_genitives(tagged["<org>"]) if " " not in form and len(form) > 2}
    source = "Source: {}. Rebuilt by `python -m gatami.policy.build`; correct names_added.txt or not_names.txt instead."
    apertium = "apertium-nno-nob (GPL-2.0-or-later)"
    ssb = f"Statistics Norway, tables 10467 and 12891 (CC BY 4.0), and {apertium}"
    write_list(
        "given_names.txt", "Given names, tab, rough count of bearers.\n" + source.format(ssb), _counted(given)
    )
    write_list(
        "surnames.txt", "Surnames, tab, rough count of bearers.\n" + source.format(ssb), _counted(surnames)
    )
    write_list("places.txt", "Place names.\n" + source.format(apertium), sorted(places))
    write_list(
        "organisations.txt",
        "Names of organisations and products.\n" + source.format(apertium),
        sorted(organisations),
    )


def _counted(names: Counter[str]) -> list[str]:
    parts: Counter[str] = Counter()
    for name, count in names.items():
        for part in name.replace(".", " ").split():
            if len(part) > 1 and part[0].isalpha():
                parts[part[0].upper() + part[1:]] += count
    return [f"{name}\t{count}" for name, count in sorted(parts.items())]


def _plain_words(path: Path) -> list[str]:
    """The words of a word list that are written in small letters."""
    words = {line.strip() for line in path.read_text(encoding="iso-8859-1").splitlines()}
    return sorted(word for word in words if word.isalpha() and word.islower())


def build_dictionary() -> None:
    import marisa_trie

    words = {path: _plain_words(path) for path in DICTIONARIES}
    marisa_trie.Trie(sorted({word for listed in words.values() for word in listed})).save(
        str(WORDS / "dictionary.marisa")
    )
    for name, listed in zip(("bokmaal", "nynorsk"), words.values(), strict=True):
        marisa_trie.Trie(listed).save(str(WORDS / f"{name}.marisa"))


# The sorts of word that the grammar tells apart, as a sum: a finite verb, an infinitive, a participle, a noun, an adjective,
# an adverb, and the small words between.
SORTS = {"finite": 1, "infinitive": 2, "participle": 4, "noun": 8, "adjective": 16, "adverb": 32, "small": 64}
_SORT_OF_TAG = {
    "n": 8,
    "adj": 16,
    "adv": 32,
    **dict.fromkeys(("pr", "cnjcoo", "cnjsub", "cnjadv", "prn", "det", "part", "rel", "ij"), 64),
}
_VERBS = frozenset({"vblex", "vbser", "vbhaver", "vbmod"})
_ANALYSIS = re.compile(r"\^([^/$]+)/([^$]*)\$")
_READING = re.compile(r"([^<]*)((?:<[^>]+>)+)")


def _sort(tags: list[str]) -> int:
    if tags[0] not in _VERBS:
        return _SORT_OF_TAG.get(tags[0], 0)
    if "pp" in tags:
        return SORTS["participle"]
    if "pres" in tags or "pret" in tags:
        return SORTS["finite"]
    return 0 if "imp" in tags else SORTS["infinitive"]


def _readings(words: list[str], transducer: str) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Each known word with its readings: base form and tags."""
    printed = _apertium([], transducer, "\n".join(words) + "\n")
    for match in _ANALYSIS.finditer(printed):
        readings = [
            (found[1], found[2].strip("<>").split("><"))
            for reading in match[2].split("/")
            if "compound" not in reading and (found := _READING.match(reading))
        ]
        readings = [(lemma, tags) for lemma, tags in readings if tags[0] not in ("np", "num")]
        if readings:
            yield match[1], readings


def _apertium(options: list[str], transducer: str, text: str) -> str:
    command = ["lt-proc", *options, str(TRANSDUCER_FOLDER / transducer)]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=text).stdout


def _in_bokmaal(units: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The base form in bokmål of base forms in nynorsk, by (lemma, first tag), where the dictionary has one."""
    answers = _apertium(["-b"], "nno-nob.autobil.bin", "\n".join(f"^{lemma}<{tag}>$" for lemma, tag in units))
    out = {}
    for unit, answer in zip(units, answers.split("\n"), strict=False):
        match = _ANALYSIS.match(answer)
        if match and not match[2].startswith("@"):
            out[unit] = match[2].split("/")[0].partition("<")[0].replace("#", "")
    return out


def build_grammar() -> None:
    """Base form and sorts of each word; forms of nynorsk point to the base form of bokmål, so that both share what is learnt."""
    import marisa_trie

    found: dict[str, tuple[int, str]] = {}
    for path, transducer in zip(DICTIONARIES, ("nob-nno.automorf.bin", "nno-nob.automorf.bin"), strict=True):
        readings = dict(_readings(_plain_words(path), transducer))
        nynorsk = transducer.startswith("nno")
        units = (
            sorted({(lemma, tags[0]) for read in readings.values() for lemma, tags in read})
            if nynorsk
            else []
        )
        same = _in_bokmaal(units)
        for form, read in readings.items():
            sorts = 0
            for _, tags in read:
                sorts |= _sort(tags)
            lemma = same.get((read[0][0], read[0][1][0]), read[0][0]).lower()
            before = found.get(form)
            found[form] = (sorts | before[0], before[1]) if before else (sorts, lemma)
    rules = Counter(_ending_rule(form, lemma) for form, (_, lemma) in found.items())
    kept = [rule for rule, times in sorted(rules.items(), key=lambda item: (-item[1], item[0])) if times > 4]
    order = {rule: number for number, rule in enumerate(kept)}
    unchanged = order[0, ""]
    write_list(
        "lemma_endings.txt",
        "How a word becomes its base form: letters cut off, plus the ending that is put on. Used by grammar.marisa.\n"
        "Source: apertium-nno-nob (GPL-2.0-or-later). Rebuilt by `python -m gatami.policy.build`.",
        [f"{cut}+{ending}" for cut, ending in kept],
    )
    marisa_trie.RecordTrie(
        "<BH",
        [
            (form, (sorts, order.get(_ending_rule(form, lemma), unchanged)))
            for form, (sorts, lemma) in sorted(found.items())
        ],
    ).save(str(WORDS / "grammar.marisa"))


def _ending_rule(form: str, lemma: str) -> tuple[int, str]:
    same = 0
    while same < min(len(form), len(lemma)) and form[same] == lemma[same]:
        same += 1
    return len(form) - same, lemma[same:]


def norne_sentences(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Tokens and labels (P person, N other name, O neither) of one NorNE file."""
    tokens: list[str] = []
    labels: list[str] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if not line.strip():
            if tokens:
                yield tokens, labels
            tokens, labels = [], []
            continue
        word, _, tag, *_ = line.split("\t")
        tokens.append(word)
        labels.append("P" if tag.endswith("PER") else "O" if tag == "O" else "N")


def marked_sentences(
    reports: list[Marked], dice: random.Random, given: dict[str, list[str]], surnames: dict[str, list[str]]
) -> Iterator[Marked]:
    """Marked reports several times over: as they are, and with other names in the place of the marked ones."""
    for turn in range(TURNS):
        for text, spans in reports:
            if turn > 1 and not spans:
                # Without names there is nothing to put in their place.
                continue
            out, marks, at = "", [], 0
            for start, end in sorted((start, end) for start, end, kind in spans if kind == "PERSON"):
                words = text[start:end].split(" ")
                if turn:
                    last = len(words) - 1
                    words = [
                        _other_name(word, dice, surnames if 0 < i == last else given)
                        for i, word in enumerate(words)
                    ]
                out += text[at:start]
                marks.append((len(out), len(out) + len(" ".join(words)), "PERSON"))
                out += " ".join(words)
                at = end
            out += text[at:]
            # Residents often write in lower case, and some in capitals.
            chance = dice.random() if turn else 1.0
            yield (out.lower() if chance < 0.14 else out.upper() if chance < 0.18 else out), marks


def _other_name(word: str, dice: random.Random, names: dict[str, list[str]]) -> str:
    """A name that the lists know as well or as badly, or now and then any name; what no list knows stays more often."""
    from .text.lexicon import word as listed

    if not word.isalpha() or len(word) < 3:
        return word
    chance = dice.random()
    code = listed(word.lower()).code
    pool = names[ANY] if chance < 0.4 else names.get(code) if chance < 0.9 else None
    if not pool or (code == UNKNOWN and chance > 0.2):
        return word
    other = dice.choice(pool)
    return other.lower() if word.islower() else other.upper() if word.isupper() else other


def _names(name: str, least: int) -> dict[str, list[str]]:
    """The names of a list that are common enough, by what all lists together say of them."""
    from .text.lexicon import word as listed

    found: dict[str, list[str]] = defaultdict(list)
    for entry in _common(name, least):
        found[ANY].append(entry)
        found[listed(entry.lower()).code].append(entry)
    return found


def norne_texts(path: Path, dice: random.Random) -> Iterator[Marked]:
    """NorNE's sentences as texts with the names of people marked; some in small letters, as news never is."""
    for words, labels in norne_sentences(path):
        starts = [0]
        for word in words:
            starts.append(starts[-1] + len(word) + 1)
        text = " ".join(words)
        if dice.random() < 0.12:
            text = text.lower()
        yield (
            text,
            [
                (start, start + len(word), "PERSON")
                for start, word, label in zip(starts, words, labels, strict=False)
                if label == "P"
            ],
        )


def begun_at_words(texts: list[Marked]) -> Iterator[Marked]:
    """Texts cut so that they begin with a word in small letters that is a name as well: 'Stein i veien', 'Sol i øynene'."""
    from .text.lexicon import TOKEN
    from .text.lexicon import word as listed

    for text, spans in texts:
        for match in TOKEN.finditer(text):
            if not match[0].islower() or len(match[0]) < 2:
                continue
            entry, at = listed(match[0]), match.start()
            if entry.plain and entry.given > 1 and not any(start <= at < end for start, end, _ in spans):
                rest = [(start - at, end - at, kind) for start, end, kind in spans if start >= at]
                yield text[at].upper() + text[at + 1 :], rest


def name_rows(text: str, spans: list[tuple[int, int, str]]) -> Iterator[tuple[list[str], str]]:
    """What the weights see of each word that may be a name, and whether it is one."""
    from .text.name_rules import draft
    from .text.name_weights import asked, features
    from .text.tokens import tokens

    found = tokens(text)
    named = draft(found)
    people = [(start, end) for start, end, kind in spans if kind == "PERSON"]
    for i in asked(named):
        at, end = found.starts[i], found.end(i)
        person = any(start < end and at < stop for start, stop in people)
        yield features(named, i), "P" if person else "O"


def train(norne: Path, reports: list[Marked] | None = None) -> None:
    """Weights that tell names of people from other words."""
    import pycrfsuite

    from .text.name_weights import FILE

    # A fixed seed makes the same weights every time.
    dice = random.Random(SEED)  # noqa: S311
    own = marked_reports() if reports is None else reports
    texts = list(marked_sentences(own, dice, _names("given_names.txt", 100), _names("surnames.txt", 100)))
    texts += begun_at_words(own)
    for code in ("nob", "nno"):
        texts += norne_texts(norne / f"{code}-train.tsv", dice)
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": 0.15, "c2": 0.02, "max_iterations": 100, "feature.minfreq": 4})
    for text, spans in texts:
        for seen, label in name_rows(text, spans):
            trainer.append([seen], [label])
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "weights"
        trainer.train(str(target))
        tagger = pycrfsuite.Tagger()
        tagger.open(str(target))
        trained = tagger.info().state_features
    weights: dict[str, float] = defaultdict(float)
    for (name, label), weight in trained.items():
        weights[name] += weight if label == "P" else -weight
    rows = [f"{name}\t{weight:.2f}" for name, weight in sorted(weights.items()) if abs(weight) >= 0.02]
    (WORDS / FILE).write_text("\n".join(rows) + "\n", encoding="utf-8")


def marked_reports() -> list[tuple[str, list[tuple[int, int, str]]]]:
    """Our own marked reports, as texts with spans."""
    from .text.marks import parse_marks

    rows = (WORDS / "training.jsonl").read_text(encoding="utf-8").splitlines()
    return [parse_marks(json.loads(row)["text"]) for row in rows if row.strip()]


_LEXICAL = ("word", "lemma", "four", "begins", "ends")
BLUR = 0.4


def _blurred(form: Form, dice: random.Random) -> Form:
    """A word of which only class and grammar are seen, now and then."""
    if form.sort in (".", "9", "name", "64") or dice.random() > BLUR:
        return form
    kept = tuple(item for item in form.features if item[0].partition(" ")[0] not in _LEXICAL)
    return Form(kept, "?", form.sort)


def train_matters(reports: list[tuple[str, list[tuple[int, int, str]]]], target: Path) -> None:
    """Weights for what is said about people, from reports with marks."""
    import pycrfsuite

    from .text.find import direct
    from .text.matters import BETWEEN, FIRST, KINDS, LABELS, LAST, read
    from .text.normal import normal
    from .text.people import tokens
    from .text.weights import attributes, pack

    dice = random.Random(SEED)  # noqa: S311
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params(MATTERS)
    for text, spans in reports:
        plain = normal(text)
        found = tokens(plain.text)
        seen = read(found, direct(found))
        labels = [LABELS[0]] * len(seen.forms)
        for a, b, kind in spans:
            if kind in KINDS:
                places = [plain.span(start, end) for start, end in seen.spans]
                inside = [i for i, (start, end) in enumerate(places) if start < b and end > a]
                for i in inside:
                    place = FIRST if i == inside[0] else LAST if i == inside[-1] else BETWEEN
                    labels[i] = f"{place} {kind}"
        for begin, end in seen.sentences:
            if begin == end:
                continue
            trainer.append(attributes(seen.forms[begin:end]), labels[begin:end])
            # Once more with words missing, so that the weights learn from what words mean and from what stands around them.
            blurred = [_blurred(form, dice) for form in seen.forms[begin:end]]
            trainer.append(attributes(blurred), labels[begin:end])
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "weights")
        trainer.train(file)
        tagger = pycrfsuite.Tagger()
        tagger.open(file)
        trained = tagger.info()
    pack(target, trained.state_features, trained.transitions, LABELS)


def _common(name: str, least: int) -> list[str]:
    rows = (
        line.split("\t")
        for line in (WORDS / name).read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    return [row[0] for row in rows if len(row) > 1 and int(row[1]) >= least and len(row[0]) > 2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--norne",
        type=Path,
        help="folder with NorNE's nob-train.tsv and nno-train.tsv; without it the weights stay",
    )
    parser.add_argument("--only-weights", action="store_true", help="leave the word lists as they are")
    arguments = parser.parse_args()
    if not arguments.only_weights:
        build_names()
        build_dictionary()
        build_grammar()
    if arguments.norne:
        train(arguments.norne)
    train_matters(marked_reports(), WORDS / "matters.npz")
    for path in sorted(WORDS.iterdir()):
        sys.stdout.write(f"{path.name}\t{path.stat().st_size}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
