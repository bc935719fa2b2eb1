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
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

WORDS = Path(__file__).with_name("words")
DICTIONARIES = (Path("/usr/share/dict/bokmål"), Path("/usr/share/dict/nynorsk"))
TRANSDUCERS = ("nob-nno", "nno-nob")
TRANSDUCER_FOLDER = Path("/usr/share/apertium/apertium-nno-nob")
SEED = 5047


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


def build_dictionary() -> None:
    import marisa_trie

    words: set[str] = set()
    for path in DICTIONARIES:
        for line in path.read_text(encoding="iso-8859-1").splitlines():
            word = line.strip()
            if word.isalpha() and word.islower():
                words.add(word)
    marisa_trie.Trie(sorted(words)).save(str(WORDS / "dictionary.marisa"))


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
    path: Path, dice: random.Random, given: list[str], surnames: list[str]
) -> Iterator[tuple[list[str], list[str]]]:
    """Our own marked reports, several times over, each time with other names in the place of the marked ones."""
    from .text.lexicon import TOKEN
    from .text.marks import parse_marks

    lines = [
        json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    for turn in range(6):
        for line in lines:
            text, spans = parse_marks(line)
            people = sorted((start, end) for start, end, kind in spans if kind == "PERSON")
            parts: list[tuple[str, str]] = []
            at = 0
            for start, end in [*people, (len(text), len(text))]:
                parts += [(match[0], "O") for match in TOKEN.finditer(text[at:start])]
                words = text[start:end].split()
                if turn:
                    words = [
                        _other_name(word, dice, given, surnames, last=0 < i == len(words) - 1)
                        for i, word in enumerate(words)
                    ]
                parts += [(match[0], "P") for match in TOKEN.finditer(" ".join(words))]
                at = end
            yield [word for word, _ in parts], [label for _, label in parts]


def _other_name(word: str, dice: random.Random, given: list[str], surnames: list[str], *, last: bool) -> str:
    if not word.isalpha() or len(word) < 3:
        return word
    other = dice.choice(surnames if last else given)
    return other.lower() if word.islower() else other.upper() if word.isupper() else other


def train(norne: Path) -> None:
    import pycrfsuite

    from .text.people import features

    # A fixed seed makes the same weights every time.
    dice = random.Random(SEED)  # noqa: S311
    given = _common("given_names.txt", 300)
    surnames = _common("surnames.txt", 300)
    sentences = [pair for code in ("nob", "nno") for pair in norne_sentences(norne / f"{code}-train.tsv")]
    # Residents often write in lower case, and some in capitals; news never does.
    lower = [
        ([word.lower() for word in tokens], labels)
        for tokens, labels in dice.sample(sentences, len(sentences) // 6)
    ]
    upper = [
        ([word.upper() for word in tokens], labels)
        for tokens, labels in dice.sample(sentences, len(sentences) // 40)
    ]
    own = WORDS / "training.jsonl"
    reports = list(marked_sentences(own, dice, given, surnames)) if own.exists() else []
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": 0.25, "c2": 0.02, "max_iterations": 100, "feature.minfreq": 3})
    for tokens, labels in sentences + lower + upper + reports:
        trainer.append(features(tokens), labels)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "people.crfsuite"
        trainer.train(str(target))
        (WORDS / "people.crfsuite").write_bytes(target.read_bytes())


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
    if arguments.norne:
        train(arguments.norne)
    for path in sorted(WORDS.iterdir()):
        sys.stdout.write(f"{path.name}\t{path.stat().st_size}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
