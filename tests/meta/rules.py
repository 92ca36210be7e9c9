"""The house rules that no linter can say, as functions from a module to its breaches.

``CORE_RULES`` hold for ``pmscore``, ``HOUSE_RULES`` for every package. Each has a planted breach in
``test_rules.py`` that it must catch.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator

from meta.source import Module

Rule = Callable[[Module], Iterator[str]]

MODULE_LINES = 400
FUNCTION_LINES = 60

# Standard modules that reach outside: the clock, chance, the environment, files, processes, the network, logs.
FORBIDDEN_STANDARD = frozenset(
    [
        "_thread",
        "asyncio",
        "builtins",
        "concurrent",
        "ctypes",
        "dbm",
        "fcntl",
        "fileinput",
        "ftplib",
        "getpass",
        "glob",
        "grp",
        "http",
        "imaplib",
        "io",
        "locale",
        "logging",
        "marshal",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "pickle",
        "platform",
        "poplib",
        "posix",
        "pwd",
        "queue",
        "random",
        "resource",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shelve",
        "shutil",
        "signal",
        "site",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "sysconfig",
        "syslog",
        "tempfile",
        "threading",
        "time",
        "timeit",
        "urllib",
        "webbrowser",
        "xmlrpc",
        "zoneinfo",
    ]
)
# What one part of the core may use and the rest may not.
EXCEPTIONS = {
    "pendulum": ("pmscore/dates/zones",),
    "threading": ("pmscore/testing",),
    "hypothesis": (
        "pmscore/testing/strategies",
        "pmscore/testing/price_strategies",
        "pmscore/testing/channel_strategies",
        "pmscore/testing/histories",
        "pmscore/testing/laws",
    ),
    "pytest": ("pmscore/testing/strategies", "pmscore/testing/histories", "pmscore/testing/laws"),
}
FORBIDDEN_CALLS = frozenset(
    [
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "pendulum.now",
        "pendulum.today",
        "pendulum.tomorrow",
        "pendulum.yesterday",
        "uuid.uuid1",
        "uuid.uuid4",
        "open",
        "input",
        "print",
        "breakpoint",
        "eval",
        "exec",
        "__import__",
    ]
)
FORBIDDEN_NAMES = frozenset({"typing.TYPE_CHECKING", "typing.Any", "typing.cast"})
MONEY = ("pmscore/kernel/money", "pmscore/pricing", "pmscore/folio")
VAGUE = frozenset(
    {"utils", "util", "helpers", "helper", "manager", "managers", "data", "common", "misc", "base"}
)
SUPPRESSION = re.compile(
    r"#\s*(?:type:\s*ignore(?!\[)|pyright:\s*ignore(?!\[)|noqa(?!:\s*[A-Z])|mypy:|ruff:)"
)


def allowed_imports(module: Module) -> Iterator[str]:
    """Hold the core to the standard library, attrs, and what stands in ``EXCEPTIONS``."""
    for line, name in module.imported():
        top = name.partition(".")[0]
        if top in EXCEPTIONS:
            is_allowed = module.is_in(*EXCEPTIONS[top])
        elif top in sys.stdlib_module_names:
            is_allowed = top not in FORBIDDEN_STANDARD
        else:
            is_allowed = top in {"attrs", "pmscore"}
        if not is_allowed:
            yield f"{module.path}:{line} imports {name or 'relatively'}"


def no_outside_world(module: Module) -> Iterator[str]:
    """Keep clocks, chance, files and the terminal out, whatever name they are called by."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and module.resolved(node.func) in FORBIDDEN_CALLS:
            yield f"{module.path}:{node.lineno} calls {module.resolved(node.func)}"


def no_escape_from_types(module: Module) -> Iterator[str]:
    """Keep ``Any``, ``cast`` and type-check-only imports out."""
    for line, name in module.imported():
        if name in FORBIDDEN_NAMES:
            yield f"{module.path}:{line} imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and module.resolved(node) in FORBIDDEN_NAMES:
            yield f"{module.path}:{node.lineno} uses {module.resolved(node)}"


def no_float_near_money(module: Module) -> Iterator[str]:
    """Keep float values, true division and the float type out, save to ask whether something is one."""
    if not module.is_in(*MONEY):
        return
    asked = {id(part) for node in ast.walk(module.tree) for part in _only_asked(node)}
    for node in ast.walk(module.tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{module.path}:{node.lineno} holds the float {node.value}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"{module.path}:{node.lineno} divides with /"
            case ast.Name(id="float") if id(node) not in asked:
                yield f"{module.path}:{node.lineno} names float"


def _only_asked(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes inside ``isinstance(_, ...)`` and class patterns."""
    match node:
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
            yield from ast.walk(kinds)
        case ast.MatchClass(cls=kind):
            yield kind


def public_names_are_listed(module: Module) -> Iterator[str]:
    """Ask for ``__all__``, with every public class and function of the module, in a module that has any."""
    public = {
        node.name
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    listed = _listed(module)
    if listed is None:
        if public:
            yield f"{module.path} has public names and no __all__"
        return
    for name in sorted(public - set(listed)):
        yield f"{module.path} leaves {name} out of __all__"


def listed_names_are_sorted(module: Module) -> Iterator[str]:
    """Ask for constants, then classes, then functions, each by the alphabet, in ``__all__``."""
    listed = _listed(module)
    if listed is not None and list(listed) != sorted(listed, key=_rank):
        yield f"{module.path} has an unsorted __all__"


def _listed(module: Module) -> tuple[str, ...] | None:
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts) | ast.Tuple(elts)):
                return tuple(each.value for each in elts if isinstance(each, ast.Constant))
    return None


def _rank(name: str) -> tuple[int, str]:
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def modules_are_small(module: Module) -> Iterator[str]:
    """Hold a module to ``MODULE_LINES``."""
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES:
        yield f"{module.path} has {lines} lines, {MODULE_LINES} at most"


def functions_are_small(module: Module) -> Iterator[str]:
    """Hold a function to ``FUNCTION_LINES``, its docstring included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{module.path}:{node.lineno} {node.name} has {lines} lines, {FUNCTION_LINES} at most"


def modules_say_what_they_own(module: Module) -> Iterator[str]:
    """Ask every module for a docstring."""
    if not ast.get_docstring(module.tree):
        yield f"{module.path} has no docstring"


def modules_are_named_for_their_job(module: Module) -> Iterator[str]:
    """Refuse names that say nothing."""
    for part in module.path.with_suffix("").parts:
        if part in VAGUE:
            yield f"{module.path} is called {part!r}, which could hold anything"


def suppressions_carry_a_code(module: Module) -> Iterator[str]:
    """Refuse a suppression without its rule, and one for a whole file."""
    for number, line in enumerate(module.text.splitlines(), start=1):
        if SUPPRESSION.search(line):
            yield f"{module.path}:{number} suppresses without a code: {line.strip()}"


def one_door_to_http(module: Module) -> Iterator[str]:
    """Let ``pms_adapters.http`` alone import the HTTP library."""
    for line, name in module.imported():
        if name.partition(".")[0] in {"httpx", "requests", "urllib3"} and not module.is_in(
            "pms_adapters/http"
        ):
            yield f"{module.path}:{line} imports {name}"


CORE_RULES: tuple[Rule, ...] = (
    allowed_imports,
    no_outside_world,
    no_escape_from_types,
    no_float_near_money,
    public_names_are_listed,
)
HOUSE_RULES: tuple[Rule, ...] = (
    modules_are_small,
    functions_are_small,
    modules_say_what_they_own,
    modules_are_named_for_their_job,
    listed_names_are_sorted,
    suppressions_carry_a_code,
    one_door_to_http,
)
