#!/usr/bin/env python3
# ruff: noqa
# fmt: off
"""wrk over several targets, interleaved in rounds, so ratios hold on a busy shared machine.

usage: bench_http.py [--rounds 3] [--seconds 4] [--conns 16] [--points points.csv] [--db-port 55431] \
           name=http://127.0.0.1:PORT/path  'name=http://127.0.0.1:PORT/lookup?lon=%s&lat=%s' ...
A URL holding %s is driven by load_lookup.lua over points.csv. The first target is the 100 % baseline.
Per target: best and median rps, p50/p99 of the best round, CPU us per request of the server (whatever
listens on its port, with children) and of PostgreSQL, and the ratio of best rps to the baseline.
Last line: "HTTP baseline=<name> <name>=<ratio> ...". Exits 1 on any non-2xx/3xx or socket error
(a lookup point outside every grid counts: points.csv misses are left out by load_lookup.lua).
needs: wrk on PATH, psutil. Loads loopback only.
"""
import argparse, json, os, re, statistics, subprocess, sys
from urllib.parse import urlsplit
import psutil

ap = argparse.ArgumentParser()
ap.add_argument("targets", nargs="+")
ap.add_argument("--rounds", type=int, default=3), ap.add_argument("--seconds", type=int, default=4)
ap.add_argument("--conns", type=int, default=16), ap.add_argument("--points", default="points.csv")
ap.add_argument("--db-port", type=int, default=0), ap.add_argument("--json")
ap.add_argument("--header", action="append", default=[])
o = ap.parse_args()
here = os.path.dirname(os.path.abspath(__file__))


def owners(port):
    ps = {c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN" and c.pid}
    out = {}
    for p in ps:
        try:
            for q in [psutil.Process(p)] + psutil.Process(p).children(recursive=True):
                out[q.pid] = q
        except psutil.Error:
            pass
    return out


def cpu(port):
    t = 0.0
    for q in owners(port).values():
        try:
            c = q.cpu_times()
            t += c.user + c.system + c.children_user + c.children_system   # reaped children too
        except psutil.Error:
            pass
    return t


T = [t.split("=", 1) for t in o.targets]
D = {n: [] for n, _ in T}
bad = 0
for rnd in range(o.rounds + 1):                     # round 0 warms up
    for n, url in T:
        u = urlsplit(url)
        if u.hostname not in ("127.0.0.1", "localhost", "::1"):
            sys.exit("loopback targets only")
        path = url.split(u.netloc, 1)[1]
        env = dict(os.environ, LOOKUP_PATH=path, POINTS=o.points)
        if "%s" not in path:
            env["PLAIN"] = "1"
        hdr = [x for h in o.header for x in ("-H", h)]
        sec = 1 if rnd == 0 else o.seconds
        c0, d0 = cpu(u.port), cpu(o.db_port) if o.db_port else 0
        r = subprocess.run(["wrk", "-t1", f"-c{o.conns}", f"-d{sec}s", *hdr, "-s", f"{here}/load_lookup.lua",
                            f"http://{u.netloc}"], env=env, capture_output=True, text=True)
        c1, d1 = cpu(u.port), cpu(o.db_port) if o.db_port else 0
        m = re.search(r"rps=(\d+) p50_us=(\d+) p99_us=(\d+) non2xx=(\d+) errors=(\d+)", r.stdout)
        k = re.search(r"(\d+) requests in", r.stdout)
        if not m:
            sys.exit(f"{n}: wrk gave no figure: {r.stdout[-300:]} {r.stderr[-300:]}")
        rps, p50, p99, non, err = map(int, m.groups())
        if rnd:
            nreq = max(int(k.group(1)), 1)
            D[n].append((rps, p50, p99, (c1 - c0) / nreq * 1e6, (d1 - d0) / nreq * 1e6, non + err, nreq))
base = max(x[0] for x in D[T[0][0]])
print(f"{'target':34s} {'rps best':>9s} {'median':>8s} {'p50 ms':>8s} {'p99 ms':>8s} {'srv us':>8s} {'db us':>8s} {'ratio':>7s} bad")
tail, out = [], {}
for n, _ in T:
    b = max(D[n])
    med = statistics.median(x[0] for x in D[n])
    srv, db = min(x[3] for x in D[n]), min(x[4] for x in D[n])
    e = sum(x[5] for x in D[n])
    bad += e
    print(f"{n:34s} {b[0]:9d} {med:8.0f} {b[1] / 1e3:8.2f} {b[2] / 1e3:8.2f} {srv:8.0f} {db:8.0f} {b[0] / base:7.3f} {e}")
    tail.append(f"{n}={b[0] / base:.3f}")
    out[n] = dict(rps=b[0], rps_median=med, p50_ms=b[1] / 1e3, p99_ms=b[2] / 1e3, srv_cpu_us=srv, db_cpu_us=db, ratio=b[0] / base, bad=e)
if o.json:
    json.dump(out, open(o.json, "w"), indent=1)
print(f"HTTP baseline={T[0][0]} " + " ".join(tail))
sys.exit(1 if bad else 0)
