"""Python files as the meta tests see them: a path inside ``src``, a text, and a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from attrs import frozen


@frozen
class Module:
    """One source file; ``path`` is relative to the folder that holds the packages."""

    path: PurePosixPath
    text: str
    tree: ast.Module
    aliases: Mapping[str, str]

    def is_in(self, *places: str) -> bool:
        """Return whether the module is one of ``places``, or stands in one; written without ``.py``."""
        own = str(self.path.with_suffix(""))
        return any(own == each or own.startswith(f"{each}/") for each in places)

    def imported(self) -> Iterator[tuple[int, str]]:
        """Yield line and full dotted name of every import, wherever in the module it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                package = "." * node.level + (node.module or "")
                for alias in node.names:
                    yield node.lineno, f"{package}.{alias.name}"

    def resolved(self, node: ast.expr) -> str:
        """Return the dotted name that an expression stands for after the module's imports, or nothing."""
        match node:
            case ast.Attribute(value=value, attr=attr):
                base = self.resolved(value)
                return f"{base}.{attr}" if base else ""
            case ast.Name(id=name):
                return self.aliases.get(name, name)
            case _:
                return ""


def read_tree(root: Path, package: str) -> tuple[Module, ...]:
    """Return every module of ``package`` below ``root``, in the order of their paths."""
    return tuple(_read(root, path) for path in sorted((root / package).rglob("*.py")))


def _read(root: Path, path: Path) -> Module:
    text = path.read_text("utf-8")
    tree = ast.parse(text, str(path))
    return Module(PurePosixPath(path.relative_to(root).as_posix()), text, tree, _aliases(tree))


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Return what the names that a module imports stand for."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            aliases |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return aliases
