"""Railyard from Python: one file, the standard library alone.

    import railyard
    r = railyard.run("scenarios/quickstart.toml", **{"topology.hosts": 4})
    r.summary["training"][0]["iteration_s"]
    r.table("links")                    # a data frame where pandas is there, else a list of dicts

    with railyard.Session() as s:       # many runs, one process
        for hosts in (2, 4, 8):
            print(hosts, s.run("scenarios/quickstart.toml", **{"topology.hosts": hosts}).summary["makespan_s"])

The binary is the one that the environment variable RAILYARD_BIN names, else `railyard`
on the PATH. A scenario is a path, its text, or a dict. What is wrong is an Error, with
code (an exit status of the command), message and where.
"""

import csv
import io
import json
import math
import os
import shutil
import subprocess

__all__ = ["run", "check", "sweep", "toml", "binary", "Session", "Result", "Error"]


class Error(Exception):
    """What railyard says is wrong. where is a list of dicts: file, line, column, key, message."""

    def __init__(self, code, message, where=()):
        super().__init__(message)
        self.code, self.message, self.where = code, message, list(where)


def binary():
    """The path of the railyard that is used."""
    path = os.environ.get("RAILYARD_BIN") or shutil.which("railyard")
    if not path or not shutil.which(path):
        raise Error(2, "there is no railyard: set RAILYARD_BIN to the binary, or put it on the PATH "
                       "(go install github.com/railyard/railyard/cmd/railyard@latest)")
    return path


class Result:
    """A run: summary as summary.json has it, its warnings, and the tables asked for."""

    def __init__(self, answer):
        self.id, self.summary = answer["run"], answer["summary"]
        self.warnings, self._tables = answer.get("warnings") or [], answer.get("tables") or {}

    def __repr__(self):
        return "<railyard.Result %s: %s>" % (self.summary["name"], self.summary["status"])

    def table(self, name):
        """A table that run was asked for: a data frame where pandas is there, else a list of dicts."""
        if name not in self._tables:
            raise KeyError("no table %r: run was asked for %s" % (name, ", ".join(self._tables) or "none"))
        return _frame(self._tables[name])


class Session:
    """A railyard that answers one request after another. Use it in a with statement."""

    def __init__(self):
        self._process = subprocess.Popen([binary(), "session"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, scenario, tables=(), **set):
        """Runs a scenario with keys set: run("a.toml", **{"topology.hosts": 4})."""
        return Result(self._ask("run", scenario, set, tables))

    def check(self, scenario, **set):
        """Raises an Error if anything is wrong with a scenario."""
        self._ask("check", scenario, set)

    def _ask(self, do, scenario, set, tables=()):
        self._id += 1
        request = {"id": self._id, "do": do, "set": ["%s=%s" % (k, _value(v)) for k, v in set.items()], "tables": list(tables)}
        if isinstance(scenario, dict):
            request["scenario"] = toml(scenario)
        elif "\n" in os.fspath(scenario):
            request["scenario"] = os.fspath(scenario)
        else:
            request["file"] = os.path.abspath(scenario)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Error(1, "railyard session has ended, with status %s" % self._process.poll())
        answer = json.loads(line)
        if "error" in answer:
            e = answer["error"]
            raise Error(e["code"], e["message"], e.get("where", ()))
        return answer


def run(scenario, tables=(), **set):
    """Session().run, for one run."""
    with Session() as s:
        return s.run(scenario, tables, **set)


def check(scenario, **set):
    """Session().check, once."""
    with Session() as s:
        s.check(scenario, **set)


def sweep(scenario, vary, where=(), seeds=None, workers=None):
    """Runs a scenario at every point: vary is {"topology.hosts": [2, 4, 8]} or {"topology.hosts": "2..16*2"}.

    The points, as points.csv has them: a data frame where pandas is there, else a list of dicts.
    """
    command = [binary(), "sweep", "-" if isinstance(scenario, dict) or "\n" in os.fspath(scenario) else os.path.abspath(scenario), "--quiet"]
    for key, values in vary.items():
        command += ["--vary", "%s=%s" % (key, values if isinstance(values, str) else ",".join(_value(v) for v in values))]
    for w in [where] if isinstance(where, str) else where:
        command += ["--where", w]
    if seeds is not None:
        command += ["--seeds", str(seeds)]
    if workers is not None:
        command += ["--workers", str(workers)]
    text = toml(scenario) if isinstance(scenario, dict) else os.fspath(scenario)
    p = subprocess.run(command, input=text if command[2] == "-" else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    if p.returncode:
        raise Error(p.returncode, p.stderr.strip())
    rows = list(csv.reader(io.StringIO(p.stdout)))
    columns = {name: [_number(row[i]) for row in rows[1:]] for i, name in enumerate(rows[0])}
    return _frame(columns)


def _frame(columns):
    try:
        import pandas
    except ImportError:
        return [dict(zip(columns, row)) for row in zip(*columns.values())]
    return pandas.DataFrame(columns)


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return None if text == "" else text


def _value(v):
    """A value as --set and --vary take it: strings without quotes."""
    return v if isinstance(v, str) else _toml_value(v)


def toml(scenario):
    """A dict as TOML: tables and lists of tables nest as they do in a scenario."""
    lines = []
    _toml_table(scenario, "", lines)
    return "\n".join(lines) + "\n"


def _toml_table(table, path, lines):
    deeper = []
    for key, v in table.items():
        at = path + _toml_key(key)
        if isinstance(v, dict):
            deeper.append(("[%s]" % at, at, v))
        elif isinstance(v, (list, tuple)) and v and all(isinstance(x, dict) for x in v):
            deeper += [("[[%s]]" % at, at, x) for x in v]
        else:
            lines.append("%s = %s" % (_toml_key(key), _toml_value(v)))
    for header, at, v in deeper:
        lines.append(header)
        _toml_table(v, at + ".", lines)


def _toml_key(key):
    plain = key and all(c.isascii() and (c.isalnum() or c in "-_") for c in key)
    return key if plain else _quoted(key)


def _quoted(text):
    """A JSON string is a basic string of TOML, if nothing is escaped that need not be."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (list, tuple)):
        return "[%s]" % ", ".join(_toml_value(x) for x in v)
    if isinstance(v, str):
        return _quoted(v)
    if isinstance(v, float) and not math.isfinite(v):
        return str(v)
    if hasattr(v, "item"):  # a number of numpy
        v = v.item()
    return repr(v)
