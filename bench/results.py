"""RESULTS.md: one table after the other, each under a heading by which the next run finds it."""

from __future__ import annotations

from pathlib import Path

MARK = "<!-- Written by `make bench`. -->"
HEADING = "\n## "


class Results:
    """The file, whose tables are replaced one by one."""

    def __init__(self, path: Path, head: str) -> None:
        self._path = path
        self._head = f"# Results\n\n{MARK}\n\n{head}\n"
        before = path.read_text(encoding="utf-8").split(HEADING)[1:] if path.exists() else []
        self._tables = {_title(table): table.strip() for table in before}
        self._new: list[str] = []

    def put(self, table: str) -> None:
        """Writes a table, in place of the one with the same heading."""
        text = table.strip().removeprefix("## ")
        self._tables[_title(text)] = text
        self._new.append(_title(text))
        self._write()

    def drop_others(self, *kept: str) -> None:
        """Leaves the tables that were put, in that order, and those with these titles."""
        titles = [*self._new, *(title for title in kept if title in self._tables and title not in self._new)]
        self._tables = {title: self._tables[title] for title in titles}
        self._write()

    def _write(self) -> None:
        tables = (f"{HEADING}{table}\n" for table in self._tables.values())
        self._path.write_text("".join([self._head, *tables]), encoding="utf-8")


def _title(table: str) -> str:
    return table.partition("\n")[0]
