"""Railyard from Python: one file, the standard library alone.

    import railyard
    r = railyard.run("scenarios/quickstart.toml", **{"topology.hosts": 4})
    r.summary["training"][0]["iteration_s"]
    r.table("links")                    # a data frame where pandas is there, else a list of dicts

    with railyard.Session() as s:       # many runs, one process
        for hosts in (2, 4, 8):
            print(hosts, s.run("scenarios/quickstart.toml", **{"topology.hosts": hosts}).summary["makespan_s"])

    railyard.sweep("scenarios/quickstart.toml", {"topology.hosts": "2..16*2"})    # a row a point

The binary is the one that the environment variable RAILYARD_BIN names, else `railyard`
on the PATH. A scenario is a path, its text, or a dict of the same shape. What is wrong is
an Error, with code (an exit status of the command), message and where.
"""

import json
import os
import shutil
import subprocess

__all__ = ["run", "check", "estimate", "sweep", "binary", "Session", "Result", "Error"]


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
        return Result(self._ask("run", scenario, set, tables=list(tables)))

    def check(self, scenario, **set):
        """Raises an Error if anything is wrong with a scenario."""
        self._ask("check", scenario, set)

    def estimate(self, scenario, **set):
        """First-order models beside the simulation, as railyard estimate --json has them: a dict."""
        return self._ask("estimate", scenario, set)["estimate"]

    def sweep(self, scenario, vary, where=(), seeds=0, workers=0, **set):
        """Runs a scenario at every point: vary is {"topology.hosts": [2, 4, 8]} or {"topology.hosts": "2..16*2"}.

        The points, as points.csv has them: a data frame where pandas is there, else a list of dicts.
        """
        where = [where] if isinstance(where, str) else list(where)
        vary = {key: v if isinstance(v, str) else list(v) for key, v in vary.items()}
        return _frame(self._ask("sweep", scenario, set, vary=vary, where=where, seeds=seeds, workers=workers)["points"])

    def _ask(self, do, scenario, set, **more):
        self._id += 1
        request = dict(more, id=self._id, do=do, set=set)
        if isinstance(scenario, dict) or "\n" in os.fspath(scenario):
            request["scenario"] = scenario
        else:
            request["file"] = os.path.abspath(scenario)
        try:
            self._process.stdin.write(json.dumps(request, allow_nan=False, default=_number) + "\n")
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


def estimate(scenario, **set):
    """Session().estimate, once."""
    with Session() as s:
        return s.estimate(scenario, **set)


def sweep(scenario, vary, where=(), seeds=0, workers=0, **set):
    """Session().sweep, once."""
    with Session() as s:
        return s.sweep(scenario, vary, where, seeds, workers, **set)


def _frame(columns):
    try:
        import pandas
    except ImportError:
        return [dict(zip(columns, row)) for row in zip(*columns.values())]
    return pandas.DataFrame(columns)


def _number(v):
    """What numpy has for a number, or a list of them, as JSON knows it."""
    if hasattr(v, "tolist"):
        return v.tolist()
    raise TypeError("a scenario cannot have a %s" % type(v).__name__)
