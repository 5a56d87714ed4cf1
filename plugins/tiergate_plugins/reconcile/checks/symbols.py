"""The check that a file defines a symbol: a function, class, method, variable or type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from tiergate.errors import SourceError
from tiergate.evidence import Found, Root
from tiergate.hooks import EvidenceCheckDeclaration, hookimpl
from tiergate_plugins.reconcile.checks.looking import Seen, look, read_options, text_of

if TYPE_CHECKING:
    import ast

_PYTHON = frozenset({".py", ".pyi"})
_SCRIPTS = frozenset({".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"})


class SymbolOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`path`: relative to the root; `symbol`: its name, with a dot for what is inside a class."""

    path: str
    symbol: str


def symbol(options: dict[str, Any], root: Root) -> list[Found]:
    """Whether a Python, TypeScript or JavaScript file defines a symbol."""
    asked = read_options(options, SymbolOptions)

    def find(content: bytes) -> Seen:
        for name, line in _definitions(asked.path, text_of(content)):
            if name == asked.symbol:
                return Seen(True, f"defines {asked.symbol}", line)
        return Seen(False, f"does not define {asked.symbol}")

    return look(asked.path, root, find, f"{asked.path} defines {asked.symbol}")


def _definitions(path: str, text: str) -> Iterator[tuple[str, int]]:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _PYTHON:
        import ast  # listing plugins must not pay for it

        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SourceError(f"is no Python that can be read: {error}", where=path) from error
        return _python(tree, "")
    if suffix in _SCRIPTS:
        from tiergate_plugins.reconcile.checks.scripts import definitions as script_definitions

        return script_definitions(text)
    raise SourceError(
        "is neither Python, TypeScript nor JavaScript by its name", where=path, hint="use the check pattern"
    )


def _python(node: ast.AST, inside: str) -> Iterator[tuple[str, int]]:
    """Names that a module or a class defines, with their lines; what functions define inside is theirs."""
    import ast

    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield inside + child.name, child.lineno
            if isinstance(child, ast.ClassDef):
                yield from _python(child, f"{inside}{child.name}.")
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        yield inside + name.id, child.lineno
        elif isinstance(child, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _python(child, inside)


@hookimpl
def tiergate_evidence_checks() -> Iterator[EvidenceCheckDeclaration]:
    """The check ``symbol``."""
    yield EvidenceCheckDeclaration(
        name="symbol",
        summary="a Python, TypeScript or JavaScript file defines a symbol",
        check=symbol,
        options={"path": "relative to the root", "symbol": "such as Pool or Pool.submit"},
    )
