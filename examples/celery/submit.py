"""Submits files, and prints the id of each one's task.

python submit.py ../docpipe/documents/*.md
"""

import sys
from pathlib import Path

from tasks import extract


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        print(extract.delay(str(path.resolve())).id, path.name, flush=True)


if __name__ == "__main__":
    main()
