"""Writes docs/python/reference.md from the signatures and docstrings of the package, without importing it.

::

    WATCHKEEPER_BLESS=1 python -m pytest tests/test_reference.py

griffe reads the sources: it knows overloads, properties, what a module has from another, and defaults as they are
written. pdoc and pydoc-markdown import what they describe, and give HTML or the defaults' values. What is public is
what `__all__` says, else what has no underscore; of classes what `HIDDEN` does not name.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import griffe

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(os.path.dirname(HERE), "src")
#: The page, where it is kept.
PAGE = os.path.join(HERE, "..", "..", "..", "docs", "python", "reference.md")

MODULES = (
    *("watchkeeper", "watchkeeper.asgi", "watchkeeper.wsgi", "watchkeeper.memory", "watchkeeper.monitor"),
    "watchkeeper.logs",
)
INTEGRATIONS = "watchkeeper.integrations"

#: What the modules of the package want of each other, and nobody else.
HIDDEN = {
    "Client": {
        *("act_for", "after_fork", "counts", "gpu", "is_delivering", "log", "log_counts", "new_id", "process", "pulse"),
    },
    "Request": {
        *("elapsed_seconds", "finish", "has_failed", "headers", "is_complete", "is_reported", "is_streamed"),
        *("last_byte", "pass_by", "sent", "trouble", "waits_for_its_error"),
    },
    "Job": {"abandon", "encoded", "end_at", "step_out", "told"},
    "LLMCall": {"abandon", "backdate", "capture_text"},
    "MemoryTracker": {"after_fork"},
    "ResourceMonitor": {"after_fork"},
    "SharedRotatingFileHandler": {"emit", "close"},
    "WatchkeeperHandler": {"emit", "handle"},
    "JsonFormatter": {"format"},
}

HEAD = """# Reference of the Python package

What each function and class of [the package](../python.md) takes and gives. It is made from their docstrings by \
`sdk/python/tools/reference.py`; a test holds it to them.

Types are those of the standard library's `typing`. Nothing here raises into the application, unless it says so, and \
all of it does nothing where no address is configured, unless it says so. Durations are in seconds, sizes in bytes, \
times in UTC; a name that ends in `_mb` is in megabytes of 1,048,576 bytes, one that ends in `_ns` in nanoseconds.
"""

_WIDTH = 100
# The page of a module that has not its name.
_BESIDE = {"asgi": "requests.md", "wsgi": "requests.md", "logs": "logging.md", "watchkeeper": "../python.md"}


class Undocumented(Exception):
    """Something public that does not say what it is."""


def page() -> str:
    """The whole page."""
    package = griffe.load("watchkeeper", search_paths=[SOURCE], allow_inspection=False)
    modules = [package[name.partition(".")[2]] if "." in name else package for name in MODULES]
    integrations = package["integrations"]
    modules.extend(integrations[name] for name in sorted(integrations.modules) if not name.startswith("_"))
    _check_hidden(modules)
    parts = [HEAD]
    parts.append("\n".join(f"- {_link(module.path)}: {_summary(module)}" for module in modules) + "\n")
    for module in modules:
        parts.extend(_module(module))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _module(module: Any) -> Iterator[str]:
    yield f"## {module.path}"
    yield _text(module)
    beside = _BESIDE.get(module.name, f"{module.name}.md")
    if os.path.exists(os.path.join(os.path.dirname(PAGE), beside)):
        yield f"More of it: [{beside}]({beside})."
    members = [(name, _resolved(module.members[name])) for name in _public(module)]
    members.sort(key=lambda found: (not found[1].is_function, found[0].lower()))
    short = "wk" if module.path == "watchkeeper" else module.name
    if len(members) > 1:
        titles = [(f"{short}.{name}", _heading(member, f"{short}.{name}")) for name, member in members]
        yield " · ".join(f"[`{title}`](#{_anchor(heading)})" for title, heading in titles)
    for name, member in members:
        yield f"### {_heading(member, f'{short}.{name}')}"
        if member.is_class and member.module.path in MODULES and member.module is not module:
            yield f"The class of {_link(member.module.path)}."
            continue
        if member.is_function:
            yield from _function(member, name)
        else:
            yield from _class(member)


def _public(module: Any) -> list[str]:
    """Names in the order of `__all__`, else of the source. Modules have sections of their own."""
    if module.exports is not None:
        names = [str(name) for name in module.exports]
    else:
        names = [name for name, member in module.members.items() if not name.startswith("_") and not member.is_alias]
    told = [name for name in names if not name.startswith("_") and name != "annotations"]
    return [name for name in told if _resolved(module.members[name]).kind.value in ("function", "class")]


def _function(function: Any, name: str) -> Iterator[str]:
    shown = function.overloads or [function]
    yield _code("\n".join(_signature(one, name) for one in shown))
    yield from _aliases(shown)
    yield _text(function)


def _class(owner: Any) -> Iterator[str]:
    text = _text(owner)
    # Also one of a base, which is not public itself.
    init = _resolved(owner.all_members["__init__"]) if "__init__" in owner.all_members else None
    if init is not None and "dataclass" not in owner.labels and "Made by" not in text:
        yield _code(_signature(init, owner.name))
        yield from _aliases([init])
    yield text
    if init is not None and init.docstring is not None:
        yield _text(init)
    attributes, methods = [], []
    hidden = HIDDEN.get(owner.name, set())
    for name, member in {**owner.inherited_members, **owner.members}.items():
        member = _resolved(member)
        if name.startswith("_") or name in hidden:
            continue
        if member.is_function:
            methods.append((name, member))
        elif not _comment(member):
            raise Undocumented(member.path)
        else:
            attributes.append((name, member))
    if attributes:
        rows = [f"| `{name}` | {_type(member)} | {_row(_comment(member))} |" for name, member in attributes]
        yield "\n".join(["| attribute | type | |", "|---|---|---|", *rows])
    for name, method in methods:
        yield f"#### {owner.name}.{name}"
        yield _code(_signature(method, f"{owner.name}.{name}"))
        yield from _aliases([method])
        yield _text(method)


def _type(attribute: Any) -> str:
    annotation = _annotation(attribute.annotation)
    if not annotation and attribute.value is not None:
        # What is set from an argument has that one's type, or is as its value shows.
        init = attribute.parent.members.get("__init__")
        known = {parameter.name: parameter for parameter in init.parameters} if init is not None else {}
        parameter = known.get(str(attribute.value)) or known.get(attribute.name)
        annotation = _annotation(parameter.annotation) if parameter is not None else _of_literal(str(attribute.value))
    settable = "writable" in attribute.labels
    shown = f"`{annotation}`" if annotation else ""
    return f"{shown}, settable" if settable else shown


def _of_literal(value: str) -> str:
    if value in ("True", "False"):
        return "bool"
    if value[:1] in "\"'":
        return "str"
    return "int" if value.isdigit() else ""


def _signature(function: Any, name: str) -> str:
    """As one would write it to call it, over several lines where it is long."""
    parts: list[str] = []
    for index, parameter in enumerate(function.parameters):
        if index == 0 and parameter.name in ("self", "cls"):
            continue
        kind = parameter.kind.value
        before = function.parameters[index - 1].kind.value if index else ""
        if before == "positional-only" and kind != "positional-only":
            parts.append("/")
        if kind == "keyword-only" and before not in ("keyword-only", "variadic positional"):
            parts.append("*")
        parts.append(_parameter(parameter, kind))
    returns = "" if function.name == "__init__" else _annotation(function.returns)
    if any("contextmanager" in str(decorator.value) for decorator in function.decorators):
        returns = "ContextManager[None]"
    ending = f" -> {returns}" if returns else ""
    prefix = "async " if "async" in function.labels else ""
    line = f"{prefix}{name}({', '.join(parts)}){ending}"
    if len(line) <= _WIDTH:
        return line
    inner = "".join(f"    {part},\n" for part in parts)
    return f"{prefix}{name}(\n{inner}){ending}"


def _parameter(parameter: Any, kind: str) -> str:
    stars = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
    annotation = _annotation(parameter.annotation)
    shown = f"{stars}{parameter.name}" + (f": {annotation}" if annotation else "")
    if parameter.default is None or stars:
        return shown
    default = re.sub(r"^'([^'\"]*)'$", r'"\1"', str(parameter.default))
    return f"{shown} = {default}" if annotation else f"{shown}={default}"


def _annotation(annotation: Any) -> str:
    # The names of variables for types are the modules' own.
    return "" if annotation is None else re.sub(r"\b_([A-Z])", r"\1", str(annotation))


def _aliases(functions: list[Any]) -> Iterator[str]:
    """What the package's own names for types stand for, where a signature has one."""
    found: dict[str, str] = {}
    for function in functions:
        for annotation in (*(parameter.annotation for parameter in function.parameters), function.returns):
            _collect(annotation, function, found)
    if found:
        yield "\n".join(f"- `{name}` is {value}" for name, value in found.items())


def _collect(annotation: Any, scope: Any, found: dict[str, str]) -> None:
    if annotation is None or isinstance(annotation, str):
        return
    for each in annotation.iterate(flat=True) if hasattr(annotation, "iterate") else ():
        path = getattr(each, "canonical_path", "")
        if not path.startswith("watchkeeper.") or each.name in found:
            continue
        try:
            target = _resolved(scope.modules_collection[path])
        except KeyError:
            continue
        if target.is_attribute and target.value is not None:
            value = str(target.value)
            if value.startswith("TypeVar("):
                found[_annotation(each.name)] = "any type, the same in both places"
                continue
            found[each.name] = f"`{value}`"
            _collect(target.value, target, found)


def _comment(attribute: Any) -> str:
    """What an attribute is: the docstring of a property, or the `#:` before it."""
    if attribute.docstring is not None:
        return str(attribute.docstring.value)
    owner = attribute.parent
    lines = owner.lines_collection[owner.filepath][owner.lineno - 1 : owner.endlineno]
    told: list[str] = []
    for line in lines:
        comment = re.match(r"\s*#: ?(.*)", line)
        if comment is not None:
            told.append(comment[1])
        elif told and re.match(rf"\s*(self\.)?{attribute.name}\b[^(]*[:=]", line):
            return " ".join(told)
        else:
            told = []
    return ""


def _text(documented: Any) -> str:
    """A docstring as Markdown: its paragraphs, its lists, and what follows `::` as code."""
    if documented.docstring is None:
        raise Undocumented(documented.path)
    blocks: list[str] = []
    is_code = False
    for block in re.split(r"\n\s*\n", documented.docstring.value.strip("\n")):
        if is_code and block.startswith("    "):
            code = textwrap.dedent(block)
            if blocks and blocks[-1].startswith("```"):
                blocks[-1] = blocks[-1][:-4] + f"\n\n{code}\n```"
            else:
                blocks.append(f"```{'json' if code.startswith('{') else 'python'}\n{code}\n```")
            continue
        is_code = block.endswith("::")
        if is_code:
            block = block[:-2].rstrip() if block.strip() == "::" else block[:-1]
        if block:
            blocks.append(_joined(block))
    return "\n\n".join(blocks)


def _joined(block: str) -> str:
    """A paragraph as one line; each point of a list stays on its own. Pages that are named are links."""
    lines: list[str] = []
    for line in block.split("\n"):
        if lines and not line.lstrip().startswith("- "):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return re.sub(r"(?<!`)docs/(events|python)\.md", _page_link, "\n".join(lines))


def _page_link(found: re.Match[str]) -> str:
    anchor = "#settings" if found[1] == "python" else ""
    return f"[{found[0]}](../{found[1]}.md{anchor})"


def _row(text: str) -> str:
    return _joined(text).replace("\n", " ").replace("|", "\\|")


def _summary(module: Any) -> str:
    return _joined(module.docstring.value.split("\n\n")[0])


def _link(name: str) -> str:
    return f"[`{name}`](#{_anchor(name)})"


def _heading(member: Any, title: str) -> str:
    # Anchors know no capitals: `wk.job` and `wk.Job` would be one.
    return f"class {title}" if member.is_class else title


def _anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")


def _code(text: str) -> str:
    return f"```pyi\n{text}\n```"


def _resolved(member: Any) -> Any:
    return member.final_target if member.is_alias else member


def _check_hidden(modules: list[Any]) -> None:
    """What is left out by name must be there: a name that changed would come back unseen."""
    places: dict[str, Any] = {}
    for module in modules:
        places.update((name, _resolved(module.members[name])) for name in _public(module))
    for name, members in HIDDEN.items():
        missing = members - set(places[name].members)
        if missing:
            raise Undocumented(f"{name} has no {', '.join(sorted(missing))} to leave out")


if __name__ == "__main__":
    sys.stdout.write(page())
