"""Words and sentences for generated tasks: a Zipf-distributed vocabulary, as real notes have."""

from __future__ import annotations

from itertools import accumulate
from random import Random

VERBS = (
    "add fix remove rename split merge document test profile migrate refactor validate cache retry log "
    "measure replace simplify extend review port package release revert audit encrypt parse index batch"
).split()
NOUNS = (
    "parser store cache router worker queue session task importer report template schema index journal "
    "lock socket frame header codec checkpoint migration benchmark budget baseline profile hook plugin "
    "config command option error message fixture test suite build pipeline release branch commit file "
    "folder path encoding timeout deadline retry backoff limit quota token client server endpoint page "
    "table column row query transaction version snapshot replica cluster shard balancer scheduler event "
    "metric histogram percentile trace span log alert dashboard login permission role account invoice "
    "search filter sort pagination form button menu dialog theme layout chart export archive backup"
).split()
_GLUE = (
    "the a of to and in for with on when so that is not it be from by as at this must should can before "
    "after each every only more than without because which still now fails works needs uses returns keeps"
).split()

_WORDS = [*_GLUE, *NOUNS, *VERBS]
_WEIGHTS = list(accumulate(1.0 / rank for rank in range(1, len(_WORDS) + 1)))


def title(random: Random) -> str:
    """A task's title, three to five words."""
    words = [random.choice(VERBS), random.choice(NOUNS), random.choice(NOUNS)]
    if random.random() < 0.6:
        words += [random.choice(("for", "in", "of")), random.choice(NOUNS)]
    return " ".join(words).capitalize()


def sentences(random: Random, words: int) -> str:
    """About that many words, in sentences of a dozen."""
    found = random.choices(_WORDS, cum_weights=_WEIGHTS, k=words)
    parts = [" ".join(found[start : start + 12]).capitalize() + "." for start in range(0, len(found), 12)]
    return " ".join(parts)
