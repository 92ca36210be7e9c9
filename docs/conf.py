"""Sphinx settings. The reference pages are written here, one for each context, from the modules that exist."""

from __future__ import annotations

import ast
import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.environment import BuildEnvironment

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "src"
MODULES = HERE / "reference" / "modules"
sys.path.insert(0, str(SOURCE))

import pmscore  # noqa: E402 (the checkout's own, not one that happens to be installed)
from pms_adapters.bootstrap import http_door  # noqa: E402
from pms_adapters.channels import made_gateways  # noqa: E402
from pms_adapters.channels.reference import reference_page  # noqa: E402
from pms_adapters.settings import Settings  # noqa: E402
from pms_adapters.system import SystemClock  # noqa: E402

project = "pmscore"
author = "The pmscore authors"
copyright = author
version = release = pmscore.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "adr/template.md"]
html_theme = "furo"
html_title = f"pmscore {version}"
nitpicky = True
suppress_warnings = ["ref.python"]  # a name that a second module lists as well; dead names are others

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False


def setup(app: Sphinx) -> None:
    """Write the reference pages, then resolve names the way a reader of the code does."""
    _write_reference()
    _write_gateways()
    app.add_domain(_Names, override=True)
    app.connect("missing-reference", _resolve)


class _Names(PythonDomain):
    """Python names, with those that we define nowhere told apart before all are gone through.

    Most names in annotations belong to other libraries, and the search compares each with every name there is.
    """

    _by_last_part: tuple[int, dict[str, list[str]]] = (-1, {})

    def defined(self, last: str) -> list[str]:
        """Return the names that end in a part and are not only listed by a second module."""
        if self._by_last_part[0] != len(self.objects):
            found: dict[str, list[str]] = {}
            for name in self.objects:
                found.setdefault(name.rpartition(".")[2], []).append(name)
            self._by_last_part = (len(self.objects), found)
        names = self._by_last_part[1].get(last, [])
        return [name for name in names if not self.objects[name].aliased]

    def find_obj(  # the parameters are Sphinx's
        self, env: BuildEnvironment, modname: str, classname: str, name: str, *rest: Any
    ) -> list[tuple[str, ObjectEntry]]:
        self.defined("")
        if name.removesuffix("()").rpartition(".")[2] not in self._by_last_part[1]:
            return []
        return super().find_obj(env, modname, classname, name, *rest)


def _write_reference() -> None:
    """Write a page for each context of the core, with every module that lists public names."""
    shutil.rmtree(MODULES, ignore_errors=True)
    MODULES.mkdir(parents=True)
    for context in sorted(
        path for path in (SOURCE / "pmscore").iterdir() if (path / "__init__.py").is_file()
    ):
        modules = [path for path in sorted(context.rglob("*.py")) if _is_public(path)]
        if modules:
            lines = [f"# `pmscore.{context.name}`", "", _docstring(context / "__init__.py"), ""]
            for path in modules:
                lines += _section(_dotted(path))
            (MODULES / f"{context.name}.md").write_text("\n".join(lines) + "\n", "utf-8")


def _write_gateways() -> None:
    """Write the page about gateways from their manifests."""
    with http_door(Settings(), SystemClock()) as door:
        found = made_gateways(door, SystemClock(), points=()).values()
        page = reference_page(each.manifest for each in found)
    (HERE / "reference" / "channels.md").write_text(page, "utf-8")


def _section(module: str) -> list[str]:
    title = f"## `{module.partition('.')[2]}`"
    return [title, "", "```{eval-rst}", f".. automodule:: {module}", "```", ""]


def _is_public(path: Path) -> bool:
    """Return whether a module lists public names; those that need ``[testing]`` are read as well."""
    return "\n__all__" in path.read_text("utf-8")


def _docstring(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def _dotted(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element
) -> nodes.Element | None:
    """Find a Python name by its last part wherever it is defined; let names of other libraries stay text.

    Annotations name a type as the module imports it, not where it is defined, so the exact search misses
    it. A name of ours that is defined nowhere stays a warning, and so fails the build.
    """
    if node.get("refdomain") != "py":
        return None
    target = str(node.get("reftarget", ""))
    last = target.rpartition(".")[2]
    names = env.domains.python_domain
    if not isinstance(names, _Names):
        raise TypeError(names)
    exact = [name for name in names.defined(last) if name.startswith("pmscore.")]
    if len(exact) == 1:
        place = names.objects[exact[0]]
        uri = app.builder.get_relative_uri(str(node.get("refdoc", env.docname)), place.docname)
        link = nodes.reference("", "", internal=True, refuri=f"{uri}#{place.node_id}", reftitle=exact[0])
        link += text
        return link
    is_ours = target.startswith(("pmscore.", "pms_adapters.", "pms_web."))
    return None if is_ours and not _exists(target) else text


def _exists(target: str) -> bool:
    """Return whether a dotted name is there in the code, with or without a place in the reference."""
    module, _, name = target.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False
