"""The source of the service as syntax trees, for the rules that a machine can keep."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from terristory.settings import PROJECT_ROOT


@dataclass(frozen=True)
class Module:
    """One file of the service; `name` is its path from the project's root."""

    name: str
    tree: ast.Module


@cache
def modules() -> tuple[Module, ...]:
    """Return every Python file of the service, wsgi.py included."""
    paths = [*sorted((PROJECT_ROOT / "terristory").rglob("*.py")), PROJECT_ROOT / "wsgi.py"]
    return tuple(
        Module(str(path.relative_to(PROJECT_ROOT)), ast.parse(path.read_text())) for path in paths if path.exists()
    )


def templates() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every template."""
    root = PROJECT_ROOT / "templates"
    for path in sorted(root.rglob("*.*")):
        yield str(path.relative_to(root)), path.read_text()


def places(found: Callable[[ast.AST], bool], *, but_in: tuple[str, ...] = ()) -> list[str]:
    """Return `file:line` of every node that `found` accepts, outside the files whose names begin with `but_in`."""
    return [
        f"{module.name}:{getattr(node, 'lineno', 0)}"
        for module in modules()
        if not module.name.startswith(but_in or ("\0",))
        for node in ast.walk(module.tree)
        if found(node)
    ]


def calls(name: str, on: str | None = None) -> Callable[[ast.AST], bool]:
    """Accept calls of a function or method called `name`, whatever it is called on, or on the object `on` only."""

    def found(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Name):
            return on is None and node.func.id == name
        if not isinstance(node.func, ast.Attribute) or node.func.attr != name:
            return False
        return on is None or ast.unparse(node.func.value) == on

    return found


def reads(expression: str) -> Callable[[ast.AST], bool]:
    """Accept an attribute written exactly so, such as `os.environ`."""
    return lambda node: isinstance(node, ast.Attribute) and ast.unparse(node) == expression


def imports(name: str) -> Callable[[ast.AST], bool]:
    """Accept imports of the module `name` or of something in it."""

    def found(node: ast.AST) -> bool:
        if isinstance(node, ast.Import):
            return any(item.name == name or item.name.startswith(name + ".") for item in node.names)
        if isinstance(node, ast.ImportFrom):
            source = node.module or ""
            return source == name or source.startswith(name + ".")
        return False

    return found
