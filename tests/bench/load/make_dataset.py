#!/usr/bin/env python3
# ruff: noqa
# fmt: off
"""Deterministic synthetic urban district for API benchmarks (EPSG:4326, near 118.5E 31.68N).

35 communities, 452 grids with shared wiggly borders, 10,000 buildings,
135,600 addresses, 60 party-service sites, 40 rider-friendly communities.

usage: make_dataset.py --dsn "host=127.0.0.1 port=55431 user=postgres dbname=grid"
       make_dataset.py --out DIR      (also writes GeoJSON files + points.csv)
needs: numpy scipy shapely psycopg
Prints "DATASET OK grids=452 ..." last; exits 1 if a topology check fails.
"""
import argparse, hashlib, json, os, sys
import numpy as np
import shapely
from scipy.spatial import Voronoi
from shapely.geometry import LineString, Point, Polygon

SEED, LON0, LAT0 = 20240601, 118.5, 31.68
KX = 111320.0 * np.cos(np.radians(LAT0))   # metres per degree of longitude
KY = 110900.0
N_GRID, N_COMM, N_BLDG, N_ADDR, N_SITE, N_RIDER = 452, 35, 10000, 135600, 60, 40
SEGS = 64                                   # segments per shared border


def to_ll(xy):
    xy = np.asarray(xy, float)
    return np.round(np.column_stack([LON0 + xy[:, 0] / KX, LAT0 + xy[:, 1] / KY]), 7)


def outline(rng):
    t = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    r = 5600 + 500 * np.sin(2 * t + .4) + 350 * np.sin(3 * t) + 180 * np.sin(7 * t + 1)
    return Polygon(np.column_stack([r * np.cos(t), 1.1 * r * np.sin(t)]))


def wiggle(a, b, amp):
    """Midpoint displacement seeded by the (unordered) border, so both neighbours get one line."""
    (a, b), rev = ((a, b), False) if tuple(a) <= tuple(b) else ((b, a), True)
    h = hashlib.sha256(np.round(np.concatenate([a, b]), 3).tobytes()).digest()
    rng = np.random.default_rng(int.from_bytes(h[:8], "little"))
    pts = [np.asarray(a, float), np.asarray(b, float)]
    k = amp
    while len(pts) - 1 < SEGS:
        out = [pts[0]]
        for p, q in zip(pts[:-1], pts[1:]):
            d = q - p
            n = np.array([-d[1], d[0]])
            out += [(p + q) / 2 + n * rng.uniform(-k, k), q]
        pts, k = out, k * .9
    arr = np.round(np.array(pts), 2)
    return arr[::-1] if rev else arr


def grids(rng):
    dist = outline(rng)
    minx, miny, maxx, maxy = dist.bounds
    pts = []
    while len(pts) < N_GRID:
        c = rng.uniform([minx, miny], [maxx, maxy], (4000, 2))
        for p in c[shapely.contains_xy(dist, c[:, 0], c[:, 1])]:
            if len(pts) < N_GRID:
                pts.append(p)
    pts = np.array(pts)
    far = np.array([[-9e4, -9e4], [9e4, -9e4], [9e4, 9e4], [-9e4, 9e4]])
    for _ in range(12):                                   # Lloyd relaxation
        v = Voronoi(np.vstack([pts, far]))
        pts = np.array([np.asarray(Polygon(v.vertices[v.regions[v.point_region[i]]])
                                   .intersection(dist).centroid.coords[0]) for i in range(N_GRID)])
    v = Voronoi(np.vstack([pts, far]))
    cells = []
    simple = dist.simplify(30)
    for i in range(N_GRID):
        p = Polygon(v.vertices[v.regions[v.point_region[i]]]).intersection(simple)
        p = max(p.geoms, key=lambda g: g.area) if p.geom_type != "Polygon" else p
        cells.append(shapely.set_precision(shapely.orient_polygons(p), .01))
    # node: every vertex of any cell must be on its neighbours too (T-junctions on the outline)
    tree = shapely.STRtree(cells)
    allv = shapely.get_coordinates(cells)
    allv = np.unique(np.round(allv, 2), axis=0)
    vp = shapely.points(allv)
    rings = []
    for c in cells:
        cand = allv[shapely.dwithin(c.exterior, vp, .05)]
        s = shapely.line_locate_point(c.exterior, shapely.points(cand))
        ring = cand[np.argsort(s)]
        keep = [ring[0]]
        for q in ring[1:]:
            if np.hypot(*(q - keep[-1])) > .2:
                keep.append(q)
        if np.hypot(*(keep[0] - keep[-1])) <= .2:
            keep.pop()
        rings.append(np.array(keep))
    amp = {}
    key = lambda a, b: tuple(sorted((tuple(a), tuple(b))))
    for attempt in range(12):
        polys = []
        for r in rings:
            out = []
            for a, b in zip(r, np.roll(r, -1, axis=0)):
                out.append(wiggle(a, b, amp.get(key(a, b), .16))[:-1])
            polys.append(Polygon(to_ll(np.vstack(out))))
        bad = [i for i, p in enumerate(polys) if not p.is_valid]
        t = shapely.STRtree(polys)
        l, rr = t.query(polys, predicate="overlaps")
        bad += list(l)
        if not bad:
            return polys, rings
        for i in set(bad):
            r = rings[i]
            for a, b in zip(r, np.roll(r, -1, axis=0)):
                amp[key(a, b)] = amp.get(key(a, b), .16) * .6
    sys.exit("topology: grids still overlap")


def communities(polys):
    n = len(polys)
    t = shapely.STRtree(polys)
    l, r = t.query(polys, predicate="touches")
    adj = [set() for _ in range(n)]
    for a, b in zip(l, r):
        if polys[a].intersection(polys[b]).length > 0:
            adj[a].add(int(b))
    c = np.array([p.centroid.coords[0] for p in polys])
    seeds = [int(np.argmin(c[:, 0]))]
    while len(seeds) < N_COMM:
        seeds.append(int(np.argmax(np.min([np.hypot(*(c - c[s]).T) for s in seeds], axis=0))))
    own = -np.ones(n, int)
    size = np.ones(N_COMM, int)
    for k, s in enumerate(seeds):
        own[s] = k
    while (own < 0).any():
        for k in np.argsort(size, kind="stable"):
            fr = [j for i in np.where(own == k)[0] for j in adj[i] if own[j] < 0]
            if fr:
                j = min(fr, key=lambda j: np.hypot(*(c[j] - c[seeds[k]])))
                own[j] = k
                size[k] += 1
                break
    return own


def build():
    rng = np.random.default_rng(SEED)
    polys, _ = grids(rng)
    own = communities(polys)
    shapely.prepare(polys)
    names = "花园 雨山 湖东 解放 平湖 向山 安民 采石 鹊桥 金字塘 珍珠园 沙塘 东苑 西湖 幸福 团结 和平 春晖 康乐 新风 桃源 翠竹 映山 佳山 朝阳 建设 光明 红旗 银杏 丹桂 望江 秀山 半湖 葛羊 梅山".split()
    order = np.lexsort((np.arange(N_GRID), own))
    T = {k: [] for k in ("community", "grid", "building", "address", "site", "rider_community")}
    for k in range(N_COMM):
        g = shapely.union_all([polys[i] for i in np.where(own == k)[0]])
        T["community"].append((k + 1, f"34050{k + 1:03d}", f"{names[k]}社区", g))
    gid_of, seq = {}, [0] * N_COMM
    for n, i in enumerate(order):
        k = own[i]
        seq[k] += 1
        gid_of[int(i)] = n + 1
        T["grid"].append((n + 1, f"34050{k + 1:03d}{seq[k]:03d}", f"{names[k]}社区第{seq[k]:02d}网格",
                          int(k) + 1, 300, int(rng.integers(600, 1100)), polys[i]))
    bpg = np.full(N_GRID, N_BLDG // N_GRID)
    bpg[:N_BLDG - bpg.sum()] += 1
    bid = aid = 0
    for n, i in enumerate(order):
        p, got = polys[i], []
        minx, miny, maxx, maxy = p.bounds
        while len(got) < bpg[n]:
            x, y = rng.uniform(minx, maxx), rng.uniform(miny, maxy)
            w, h, th = rng.uniform(8, 14), rng.uniform(20, 45), rng.uniform(0, np.pi)
            q = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2
            q = q @ np.array([[np.cos(th), -np.sin(th)], [np.sin(th), np.cos(th)]])
            b = Polygon(np.round(np.column_stack([x + q[:, 0] / KX, y + q[:, 1] / KY]), 7))
            if p.contains(b):
                got.append(b)
        ids = []
        for b in got:
            bid += 1
            ids.append(bid)
            T["building"].append((bid, f"{bid:05d}", n + 1, int(rng.integers(3, 34)), b))
        for a in range(300):
            aid += 1
            j = a % len(got)
            cx, cy = got[j].centroid.coords[0]
            ax, ay = round(cx + rng.normal(0, 2) / KX, 7), round(cy + rng.normal(0, 2) / KY, 7)
            if not shapely.contains_xy(p, ax, ay):
                ax, ay = round(cx, 7), round(cy, 7)
            T["address"].append((aid, ids[j], n + 1,
                                 f"{names[own[i]]}路{n % 97 * 2 + 1}号{j + 1}栋{a // len(got) // 4 + 1}单元{a // len(got) + 101}室",
                                 Point(ax, ay)))
    for s in range(N_SITE):
        k = s if s < N_COMM else int(rng.integers(0, N_COMM))
        i = int(rng.choice(np.where(own == k)[0]))
        q = polys[i].representative_point()
        T["site"].append((s + 1, f"{names[k]}党群服务{'中心' if s < N_COMM else '站'}{'' if s < N_COMM else s}",
                          gid_of[i], "社区" if s < N_COMM else "网格", Point(round(q.x, 7), round(q.y, 7))))
    for s in range(N_RIDER):
        i = int(rng.integers(0, N_GRID))
        q = polys[i].representative_point()
        r, t = rng.uniform(70, 160), np.linspace(0, 2 * np.pi, 24, endpoint=False)
        rr = r * (1 + .15 * np.sin(3 * t + s))
        T["rider_community"].append((s + 1, f"{names[own[i]]}骑手友好小区{s + 1}", gid_of[i], bool(rng.random() < .7),
                                     Polygon(np.round(np.column_stack([q.x + rr * np.cos(t) / KX, q.y + rr * np.sin(t) / KY]), 7))))
    return T


DDL = {
    "community": ("id int primary key, code text unique, name text", ["id", "code", "name"], "Geometry"),
    "grid": ("id int primary key, code text unique, name text, community_id int, households int, population int",
             ["id", "code", "name", "community_id", "households", "population"], "Polygon"),
    "building": ("id int primary key, code text, grid_id int, floors int", ["id", "code", "grid_id", "floors"], "Polygon"),
    "address": ("id int primary key, building_id int, grid_id int, full_address text",
                ["id", "building_id", "grid_id", "full_address"], "Point"),
    "site": ("id int primary key, name text, grid_id int, level text", ["id", "name", "grid_id", "level"], "Point"),
    "rider_community": ("id int primary key, name text, grid_id int, night_gate_open bool",
                        ["id", "name", "grid_id", "night_gate_open"], "Polygon"),
}


def check(T):
    g = [r[-1] for r in T["grid"]]
    ok = all(p.is_valid for p in g) and len(g) == N_GRID
    nv = [shapely.get_num_coordinates(p) for p in g]
    a = sum(p.area for p in g)
    u = shapely.union_all(g)
    ok &= abs(a - u.area) / a < 1e-9
    pt = np.array([[r[-1].x, r[-1].y] for r in T["address"]])
    want = np.array([r[2] for r in T["address"]])
    tree = shapely.STRtree(g)
    i, j = tree.query(shapely.points(pt), predicate="intersects")
    ok &= len(i) == len(pt) and (np.array([r[0] for r in T["grid"]])[j] == want[i]).all()
    h = hashlib.sha256(b"".join(shapely.to_wkb(p) for p in g)).hexdigest()[:16]
    return ok, f"grids={len(g)} vertices_per_grid_median={int(np.median(nv))} max={max(nv)} " \
               f"communities={len(T['community'])} buildings={len(T['building'])} addresses={len(T['address'])} " \
               f"sites={len(T['site'])} rider={len(T['rider_community'])} sha={h}"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--dsn"), ap.add_argument("--out")
    o = ap.parse_args()
    T = build()
    ok, msg = check(T)
    if o.dsn:
        import psycopg
        with psycopg.connect(o.dsn) as c:
            c.execute("create extension if not exists postgis")
            for t, (cols, names, gt) in DDL.items():
                c.execute(f"drop table if exists {t} cascade")
                c.execute(f"create table {t} ({cols}, geom geometry({gt},4326) not null)")
                with c.cursor().copy(f"copy {t} from stdin") as cp:
                    for r in T[t]:
                        cp.write_row(r[:-1] + (shapely.to_wkb(shapely.set_srid(r[-1], 4326), hex=True, include_srid=True),))
                c.execute(f"create index on {t} using gist (geom)")
            for t in ("building", "address", "site", "rider_community"):
                c.execute(f"create index on {t} (grid_id)")
            c.commit()
            c.autocommit = True
            c.execute("vacuum analyze")
    if o.out:
        os.makedirs(o.out, exist_ok=True)
        for t, (_, names, _) in DDL.items():
            with open(f"{o.out}/{t}.geojson", "w") as f:
                json.dump({"type": "FeatureCollection", "features": [
                    {"type": "Feature", "id": r[0], "properties": dict(zip(names, r[:-1])),
                     "geometry": r[-1].__geo_interface__} for r in T[t]]}, f, ensure_ascii=False)
        rng = np.random.default_rng(7)
        b = shapely.total_bounds([r[-1] for r in T["grid"]])
        q = rng.uniform(b[:2], b[2:], (5000, 2))
        tree = shapely.STRtree([r[-1] for r in T["grid"]])
        i, j = tree.query(shapely.points(q), predicate="intersects")
        code = {int(a): T["grid"][b][1] for a, b in zip(i, j)}
        with open(f"{o.out}/points.csv", "w") as f:
            f.write("lon,lat,code\n")
            for k, (x, y) in enumerate(q):
                f.write(f"{x:.7f},{y:.7f},{code.get(k, '')}\n")
    print(("DATASET OK " if ok else "DATASET BAD ") + msg)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
