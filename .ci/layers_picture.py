"""Draw ``docs/pictures/layers.svg`` from the import contracts: what is there, and dashed what is planned.

Owns the drawing. Leaves the order of the rooms to ``pyproject.toml``; a test compares the picture with what this draws.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "pictures" / "layers.svg"
WEB = (("Flask app", "pms command", "console"),)
PLANNED = frozenset({"channels", "console", "folio", "housekeeping"})
WIDTH, LEFT, INNER, GAP, ROW = 760, 153.0, 574.0, 6.0, 30
DESCRIPTION = (
    "The web package uses the adapters, the adapters use the core. Inside the core a context uses those below it, never"
    " those above or beside it. Dashed rooms are planned."
)
LEGEND = "Each room uses those below it, never those above or beside it. Dashed: planned."

Rows = tuple[tuple[str, ...], ...]


def picture() -> str:
    """Return the picture as it has to be now."""
    parts: list[str] = []
    y = 12
    packages = (
        ("pms_web", "#dbeafe", WEB),
        ("pms_adapters", "#dcfce7", _rows("adapters", "pms_adapters")),
        ("pmscore", "#fef3c7", _rows("contexts", "pmscore")),
    )
    for name, fill, rows in packages:
        if parts:
            parts.append(
                f'<path d="M 380.0 {y + 1} v 10 m -5 -5 l 5 5 l 5 -5" fill="none" stroke="#334155" stroke-width="2"/>'
            )
            y += 14
        height = len(rows) * ROW + 16
        parts.append(
            f'<rect x="10" y="{y}" width="740" height="{height}" rx="10" fill="{fill}" stroke="#94a3b8"/>'
            f'<text x="22" y="{y + height / 2 + 5}" font-size="15" font-weight="600">{name}</text>'
        )
        parts.extend(_rooms(rows, y + 11, package=name))
        y += height
    parts.append(f'<text x="20" y="{y + 20}" font-size="12" fill="#475569">{LEGEND}</text>')
    height = y + 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="system-ui, sans-serif" fill="#0f172a" role="img" aria-labelledby="t d">'
        f'<title id="t">The layers of pmscore</title><desc id="d">{DESCRIPTION}</desc>'
        f'<rect width="100%" height="100%" fill="#f8fafc"/>{"".join(parts)}</svg>\n'
    )


def _rows(contract: str, package: str) -> Rows:
    """Return the layers of a contract, the rooms that are there and those that are planned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}
    rows = (
        tuple(
            name
            for part in layer.split("|")
            if _is_there(package, name := part.strip(" ()")) or name in PLANNED
        )
        for layer in contracts[contract]["layers"]
    )
    return tuple(row for row in rows if row)


def _is_there(package: str, name: str) -> bool:
    place = ROOT / "src" / package / name
    return (place / "__init__.py").is_file() or place.with_suffix(".py").is_file()


def _rooms(rows: Rows, top: int, *, package: str) -> Iterator[str]:
    for number, row in enumerate(rows):
        y = top + number * ROW
        width = (INNER - GAP * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            x = LEFT + place * (width + GAP)
            is_there = name not in PLANNED or _is_there(package, name)
            dashes = "" if is_there else ' stroke-dasharray="4 3"'
            yield (
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="24" rx="5" fill="#ffffff" stroke="#64748b"{dashes}/>'
                f'<text x="{x + width / 2:.1f}" y="{y + 16}" font-size="13" text-anchor="middle">{name}</text>'
            )


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
    print(f"Wrote {PICTURE.relative_to(ROOT)}.")
