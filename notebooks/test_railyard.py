import json
import os
import tempfile
import unittest

import railyard

RING = {
    "name": "ring",
    "topology": {"kind": "ring", "accelerators": 4, "bandwidth": "1GB/s", "latency": "1us"},
    "workload": {"collective": [{"op": "all_reduce", "algorithm": "ring", "sizes": ["4MB", "8MB"]}]},
}


class Client(unittest.TestCase):
    def test_run(self):
        r = railyard.run(RING, tables=["collectives"], **{"topology.accelerators": 2})
        self.assertEqual(r.summary["cluster"]["accelerators"], 2)
        rows = r.table("collectives")
        sizes = list(rows["size_bytes"]) if hasattr(rows, "columns") else [row["size_bytes"] for row in rows]
        self.assertEqual(sizes, [4e6, 8e6])
        with self.assertRaises(KeyError):
            r.table("links")

    def test_session(self):
        with railyard.Session() as s:
            times = [s.run(RING, **{"topology.bandwidth": b}).summary["makespan_s"] for b in ("1GB/s", "2GB/s")]
            self.assertLess(times[1], times[0])
            with self.assertRaises(railyard.Error) as raised:
                s.check(dict(RING, topology=dict(RING["topology"], bandwith="1GB/s")))
            self.assertEqual(raised.exception.code, 3)
            self.assertIn('did you mean "bandwidth"?', raised.exception.message)
            self.assertTrue(raised.exception.where[0]["key"].startswith("topology"))
            s.check(RING)

    def test_file(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "a.json")
            with open(path, "w") as f:
                json.dump(RING, f)
            self.assertEqual(railyard.run(path).summary, railyard.run(RING).summary)

    def test_sweep(self):
        points = railyard.sweep(RING, {"topology.accelerators": [2, 4, 8]})
        if hasattr(points, "columns"):
            points = points.to_dict("records")
        self.assertEqual([p["topology.accelerators"] for p in points], [2, 4, 8])
        self.assertEqual([p["status"] for p in points], ["done"] * 3)
        with self.assertRaises(railyard.Error) as raised:
            railyard.sweep(RING, {"topology.acelerators": [2]})
        self.assertEqual(raised.exception.code, 3)

    def test_sweep_of_ranges(self):
        with railyard.Session() as s:
            points = s.sweep(RING, {"topology.accelerators": "2..8*2", "topology.bandwidth": ["1GB/s", "2GB/s"]},
                             where="accelerators > 2", **{"workload.collective.0.sizes": ["8MB"]})
        if hasattr(points, "columns"):
            points = points.to_dict("records")
        self.assertEqual([(p["topology.accelerators"], p["topology.bandwidth"]) for p in points],
                         [(4, "1GB/s"), (4, "2GB/s"), (8, "1GB/s"), (8, "2GB/s")])
        self.assertEqual(points[0]["makespan_s"], railyard.run(RING, **{"workload.collective.0.sizes": ["8MB"]}).summary["makespan_s"])

    def test_estimate(self):
        scenario = {"topology": {"kind": "rail", "host": "dgx-h100", "hosts": 1},
                    "workload": {"training": [{"model": "llama-2-7b", "zero": 3, "global_batch": 8}]}}
        self.assertEqual(railyard.estimate(scenario)["cluster"]["accelerators"], 8)
        with self.assertRaises(railyard.Error) as raised:
            railyard.estimate(RING)
        self.assertEqual((raised.exception.code, raised.exception.where[0]["key"]), (3, "workload.training"))

    def test_values(self):
        class Number:  # as numpy has them
            def tolist(self):
                return 2
        self.assertEqual(railyard.run(RING, **{"topology.accelerators": Number()}).summary["cluster"]["accelerators"], 2)
        with self.assertRaises(TypeError):
            railyard.run(RING, name=object())
        with self.assertRaises(ValueError):
            railyard.run(dict(RING, expect=[{"metric": "makespan_s", "op": ">", "value": float("nan")}]))

    def test_no_binary(self):
        was = os.environ["RAILYARD_BIN"]
        os.environ["RAILYARD_BIN"] = "/no/such/railyard"
        try:
            with self.assertRaises(railyard.Error) as raised:
                railyard.run(RING)
            self.assertIn("set RAILYARD_BIN", raised.exception.message)
        finally:
            os.environ["RAILYARD_BIN"] = was


if __name__ == "__main__":
    unittest.main()
