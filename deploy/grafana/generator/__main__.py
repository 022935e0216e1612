"""Writes the dashboards: one JSON file a board, beside this folder.

python deploy/grafana/generator             write what is not as the boards say
python deploy/grafana/generator --check     only say what would be written (exit code 1)
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path

import boards
from board import Board

FOLDER = Path(__file__).resolve().parent.parent


def texts() -> dict[Path, str]:
    """What each file should hold."""
    names = sorted(module.name for module in pkgutil.iter_modules(boards.__path__))
    found: list[Board] = [importlib.import_module(f"boards.{name}").BOARD for name in names]
    return {
        FOLDER / f"{board.name}.json": json.dumps(board.model(), indent=2, ensure_ascii=False) + "\n" for board in found
    }


def main(arguments: list[str]) -> int:
    """Writes or checks, and names what differs."""
    wanted = texts()
    files = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    stale = sorted(path for path in wanted.keys() | files.keys() if wanted.get(path) != files.get(path))
    for path in stale:
        print(f"{path.name}: {'changed' if path in wanted else 'no board gives this file'}")
    if "--check" in arguments:
        return 1 if stale else 0
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
