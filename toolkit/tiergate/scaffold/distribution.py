"""The files of a new plugin's distribution."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files

from tiergate.errors import UsageError, unknown_name
from tiergate.hooks import KINDS

_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_PREFIX = "tiergate-"


def distribution(name: str, kind: str) -> dict[str, str]:
    """The text of each file, by its path below the folder of the distribution.

    Args:
        name: of the plugin: lower-case letters, digits and hyphens. The distribution is called after it, with
            ``tiergate-`` in front.
        kind: of declaration, as `tiergate.hooks.KINDS` names it.

    Raises:
        UsageError: the name cannot be one, or there is no such kind.
    """
    hooks = {one.name: one.hook for one in KINDS}
    if kind not in hooks:
        raise unknown_name("kind of plugin", kind, hooks)
    short = name.removeprefix(_PREFIX)
    if not _NAME.match(short) or keyword.iskeyword(short):
        raise UsageError(
            f"{name!r} cannot be the name of a plugin",
            hint="lower-case letters, digits and hyphens, beginning with a letter, such as tiergate-redis",
        )
    module = f"tiergate_{short.replace('-', '_')}"
    words = {
        "name": short,
        "distribution": _PREFIX + short,
        "module": module,
        "hook": hooks[kind],
        "title": f"The {kind} {short}",
        "version": version("tiergate"),
    }
    return {
        "pyproject.toml": _filled("pyproject.toml.txt", words),
        "README.md": _filled("README.md.txt", words),
        ".github/workflows/tests.yml": _text("tests.yml.txt"),
        f"src/{module}/__init__.py": f'"""{words["title"]} for tiergate."""\n',
        f"src/{module}/py.typed": "",
        f"src/{module}/plugin.py": f'"""{words["title"]}."""\n\n' + example(kind, short),
        "tests/test_plugin.py": _filled(f"{kind}_test.py.txt", words),
    }


def example(kind: str, name: str) -> str:
    """The module of a kind's example, whose declaration has that name."""
    return _filled(f"{kind}.py.txt", {"name": name})


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = _text(template)
    for word, value in words.items():
        text = text.replace(f"{{{{ {word} }}}}", value)
    return text


def _text(template: str) -> str:
    return files("tiergate.scaffold").joinpath("templates", template).read_text(encoding="utf-8")
