"""What DuckDB and pandas see in files: the rows of each, as JSON, by the name of the program.

With `--duckdb SQL` instead of a file: the rows that DuckDB answers.
"""

import json
import math
import sys

import duckdb
import pandas

READERS = {
    "parquet": ("read_parquet({})", pandas.read_parquet),
    "csv": (
        "read_csv({}, header = true, delim = ',', quote = '\"', escape = '\"')",
        lambda path: pandas.read_csv(path, parse_dates=["time"]),
    ),
    "ndjson": (
        "read_json({}, format = 'newline_delimited')",
        lambda path: pandas.read_json(path, lines=True, dtype=False),
    ),
}


def by_duckdb(sql):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    answer = connection.execute(sql)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def seen(value):
    """The value as JSON has it; what JSON has no number for becomes a text."""
    if isinstance(value, dict):
        return {str(name): seen(inner) for name, inner in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [seen(inner) for inner in value]
    if value is None or value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (str, int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def main():
    if sys.argv[1] == "--duckdb":
        print(json.dumps(seen(by_duckdb(sys.argv[2]))))
        return
    path = sys.argv[1]
    table, read = READERS[path.rsplit(".", 1)[1]]
    quoted = "'" + path.replace("'", "''") + "'"
    frame = read(path)
    if path.endswith(".ndjson"):
        frame["time"] = pandas.to_datetime(frame["time"], format="ISO8601")
    assert pandas.api.types.is_datetime64_any_dtype(frame["time"]), frame.dtypes
    both = {"duckdb": by_duckdb(f"SELECT * FROM {table.format(quoted)}"), "pandas": frame.to_dict("records")}
    print(json.dumps(seen(both)))


main()
