# ruff: noqa
# fmt: off
"""Deterministic synthetic urban district for the grid (网格) rebalancing task.

Writes <out>/units.parquet, edges.parquet, meta.json (and units.gpkg with --gpkg).
A unit is one building's land cell; a container is one connected, barrier-free piece of one community:
a legal grid lies inside exactly one container. All lengths are metres (EPSG:4547).
"""
import argparse, json, math, os
import numpy as np, pandas as pd, geopandas as gpd, shapely
from shapely.geometry import LineString, box, Polygon
from shapely.ops import unary_union
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

TOTAL, GRIDS, TARGET = 135_600, 452, 300
X0, Y0, W, H = 528_000.0, 3_374_000.0, 6400.0, 6000.0


def barriers(rng):
    t = np.linspace(-0.05, 1.05, 60)
    out = []
    ph = rng.uniform(0, 6.28)
    river = np.c_[X0 + W * 0.46 + 330 * np.sin(3.1 * t + ph) + 90 * np.sin(9 * t), Y0 + H * t]
    out.append(("river", LineString(river).buffer(55)))
    rail = np.c_[X0 + W * t, Y0 + H * (0.30 + 0.22 * t) + 120 * np.sin(4 * t + ph)]
    out.append(("railway", LineString(rail).buffer(18)))
    for f in (0.22, 0.74):
        out.append(("trunk", LineString(np.c_[X0 + W * f + 60 * np.sin(2 * t + ph) + 0 * t, Y0 + H * t]).buffer(16)))
    for f in (0.20, 0.55, 0.80):
        out.append(("trunk", LineString(np.c_[X0 + W * t, Y0 + H * f + 70 * np.sin(2.6 * t + ph)]).buffer(16)))
    return out


def split(poly, amax, rng, out):
    """recursive street subdivision along the longer side of the rotated bounding rectangle"""
    if poly.area <= amax * rng.uniform(0.75, 1.25):
        out.append(poly); return
    r = poly.minimum_rotated_rectangle
    c = np.array(r.exterior.coords)[:4]
    a, b = c[1] - c[0], c[2] - c[1]
    if np.hypot(*a) < np.hypot(*b):
        c = np.roll(c, -1, axis=0); a, b = c[1] - c[0], c[2] - c[1]
    f = rng.uniform(0.40, 0.60); th = rng.normal(0, 0.05)
    m = c[0] + a * f; d = b / np.hypot(*b); n = a / np.hypot(*a)
    d = d * math.cos(th) + n * math.sin(th)
    L = 3 * np.hypot(*b) + 500
    half = Polygon([m - d * L, m + d * L, m + d * L - n * 2e4, m - d * L - n * 2e4])
    for part in (poly.intersection(half), poly.difference(half)):
        for g in getattr(part, "geoms", [part]):
            if g.geom_type == "Polygon" and g.area > 200:
                split(g, amax, rng, out)


def points_in(poly, n, rng):
    s = math.sqrt(poly.area / n) * 0.97
    th = rng.uniform(0, math.pi / 8); cx, cy = poly.centroid.x, poly.centroid.y
    inner = poly.buffer(-min(9, 0.2 * s))
    if inner.is_empty: inner = poly
    for _ in range(40):
        R = math.hypot(poly.bounds[2] - poly.bounds[0], poly.bounds[3] - poly.bounds[1])
        k = int(R / s) + 2
        gx, gy = np.meshgrid(np.arange(-k, k + 1) * s, np.arange(-k, k + 1) * s)
        p = np.c_[gx.ravel(), gy.ravel()] + rng.uniform(-0.18, 0.18, (gx.size, 2)) * s
        p = p @ np.array([[math.cos(th), -math.sin(th)], [math.sin(th), math.cos(th)]]) + [cx, cy]
        p = p[shapely.contains_xy(inner, p[:, 0], p[:, 1])]
        if len(p) >= n:
            return p[np.sort(rng.permutation(len(p))[:n])]
        s *= 0.95
    raise RuntimeError("no room")


def cells_of(poly, pts):
    if len(pts) == 1:
        return [poly]
    mp = shapely.multipoints(pts)
    v = list(shapely.voronoi_polygons(mp, extend_to=poly.envelope).geoms)
    tree = shapely.STRtree(v)
    idx = tree.query(shapely.points(pts), predicate="intersects")
    cell = [None] * len(pts)
    for i, j in idx.T:
        cell[i] = v[j]
    res = shapely.intersection(np.array(cell), poly)
    return [max(g.geoms, key=lambda q: q.area) if g.geom_type != "Polygon" else g for g in res]


def shared_edges(geoms, tol=0.4, minlen=2.0):
    g = np.asarray(geoms); b = shapely.buffer(g, tol, cap_style="flat", join_style="mitre")
    i, j = shapely.STRtree(b).query(b, predicate="intersects"); m = i < j; i, j = i[m], j[m]
    ln = shapely.length(shapely.intersection(b[i], shapely.boundary(g[j])))
    k = ln > minlen
    return i[k], j[k], ln[k]


def apportion(h, K, T):
    """integer grids per container, sum K, minimising the sum over grids of |mean - T| (then the worst)."""
    h = np.asarray(h, float); k = np.maximum(1, np.round(h / T).astype(int))
    cost = lambda hh, kk: kk * abs(hh / kk - T) ** 2
    while k.sum() != K:
        s = 1 if k.sum() < K else -1
        d = [(cost(h[c], k[c] + s) - cost(h[c], k[c]), c) for c in range(len(h)) if k[c] + s >= 1]
        k[min(d)[1]] += s
    return k


def bfs_bisect(nodes, adj, w, xy, k, rng, out):
    """hand-drawn-looking old plan: sweep order, connected prefix, smaller leftovers join the prefix"""
    if k == 1:
        out.append(nodes); return
    S = set(nodes); P = xy[nodes]; u = np.linalg.svd(P - P.mean(0), full_matrices=False)[2][0]
    th = rng.normal(0, 0.25); u = np.array([u[0] * math.cos(th) - u[1] * math.sin(th), u[0] * math.sin(th) + u[1] * math.cos(th)])
    pr = {a: float(xy[a] @ u) for a in nodes}
    import heapq
    k1 = k // 2; goal = w[nodes].sum() * k1 / k
    start = min(nodes, key=lambda a: pr[a]); heap = [(pr[start], start)]; seen = {start}; tot = 0.0; A = []
    while heap and (tot < goal) and len(A) < len(nodes) - (k - k1):
        _, a = heapq.heappop(heap); A.append(a); tot += w[a]
        for b in adj[a]:
            if b in S and b not in seen:
                seen.add(b); heapq.heappush(heap, (pr[b], b))
    B = S - set(A); comps = []
    while B:
        st = [next(iter(B))]; c = set(st); B -= c
        while st:
            for b in adj[st.pop()]:
                if b in B: B.discard(b); c.add(b); st.append(b)
        comps.append(c)
    comps.sort(key=lambda c: -w[list(c)].sum() - 1e-6 * len(c))
    for c in comps[1:]: A += sorted(c)
    bfs_bisect(np.array(sorted(A)), adj, w, xy, k1, rng, out)
    bfs_bisect(np.array(sorted(comps[0])), adj, w, xy, k - k1, rng, out)


def build(seed=1):
    rng = np.random.default_rng(seed)
    bars = barriers(rng)
    land = box(X0, Y0, X0 + W, Y0 + H).difference(unary_union([b for _, b in bars]))
    faces = [f for f in land.geoms if f.area > 20_000]
    blocks, bface = [], []
    for fi, f in enumerate(faces):
        o = []; split(f, 60_000, rng, o); blocks += o; bface += [fi] * len(o)
    bface = np.array(bface); nb = len(blocks)
    barea = np.array([b.area for b in blocks]); cen = np.array([[b.centroid.x, b.centroid.y] for b in blocks])
    # land use
    use = rng.choice(["street", "nonres"], nb, p=[0.74, 0.26]).astype(object)
    big = [i for i in np.argsort(-barea + rng.normal(0, 9000, nb)) if use[i] == "street"]
    comp_blocks = sorted(rng.permutation(big[: int(len(big) * 0.75)])[:147]); use[comp_blocks] = "compound"
    hc = np.clip(rng.lognormal(math.log(430), 0.78, 147), 70, 3200); hc *= 88_000 / hc.sum()
    rows, geoms, cid = [], [], 0
    for b in range(nb):
        if use[b] == "compound":
            want = hc[cid]; tower = rng.random() < 0.42; hs = []
            while sum(hs) < want:
                hs.append(int(rng.integers(66, 201)) if tower else int(rng.integers(18, 73)))
            hs[-1] = max(1, int(hs[-1] - (sum(hs) - want))); kind, c = ("tower" if tower else "slab"), cid; cid += 1
        elif use[b] == "street":
            n = max(4, int(rng.normal(19, 6) * barea[b] / barea[use == "street"].mean()))
            hs = list(np.clip(rng.lognormal(math.log(4.2), 0.85, n).round().astype(int), 1, 60)); kind, c = "street", -1
        else:
            hs, kind, c = [0], "nonres", -1
        pts = points_in(blocks[b], len(hs), rng)
        for g, p, h in zip(cells_of(blocks[b], pts), pts, hs):
            rows.append((b, bface[b], c, kind, h)); geoms.append(g)
    U = pd.DataFrame(rows, columns=["block", "face", "compound", "kind", "h"])
    h = U.h.to_numpy(float)
    # scale to exactly TOTAL with 1..200 a building
    st = (U.kind == "street").to_numpy(); res = h > 0
    h[st] = np.clip(np.round(h[st] * (TOTAL - h[~st].sum()) / h[st].sum()), 1, 60)
    h = h.astype(int); idx = np.flatnonzero(res & st); p = 0; rr = rng.permutation(idx)
    while h.sum() != TOTAL:
        i = rr[p % len(rr)]; p += 1; s = 1 if h.sum() < TOTAL else -1
        if 1 <= h[i] + s <= 200: h[i] += s
    ei, ej, el = shared_edges(geoms)
    n = len(U)
    xy = shapely.get_coordinates(shapely.centroid(np.array(geoms)))
    # communities: blocks -> 35, faces first, small faces join a neighbour across the barrier
    hb = np.bincount(U.block, h, nb); hf = np.bincount(bface, hb, len(faces)); avg = TOTAL / 35
    fgroup = np.arange(len(faces))
    for f in np.argsort(hf):
        if hf[fgroup == fgroup[f]].sum() < 1.6 * avg:
            d = [faces[f].distance(faces[o]) + (0 if fgroup[o] != fgroup[f] else 1e9) + hf[fgroup == fgroup[o]].sum() / 400 for o in range(len(faces))]
            fgroup[fgroup == fgroup[f]] = fgroup[int(np.argmin(d))]
    groups = sorted(set(fgroup)); hg = np.array([hf[fgroup == g].sum() for g in groups])
    ng = np.maximum(1, np.round(hg / avg).astype(int))
    while ng.sum() != 35:
        s = 1 if ng.sum() < 35 else -1; r = hg / ng; i = int(np.argmax(r)) if s > 0 else int(np.argmin(np.where(ng > 1, r, 1e9))); ng[i] += s
    comm_b = np.full(nb, -1); nc = 0
    bi, bj = U.block.to_numpy()[ei], U.block.to_numpy()[ej]; m = bi != bj
    badj = [set() for _ in range(nb)]
    for a, b in zip(bi[m], bj[m]): badj[a].add(b); badj[b].add(a)

    def rec(ids, k):
        nonlocal nc
        if k == 1: comm_b[ids] = nc; nc += 1; return
        P = cen[ids]; u = np.linalg.svd(P - P.mean(0), full_matrices=False)[2][0]; o = ids[np.argsort(P @ u)]
        c = np.cumsum(hb[o]); k1 = k // 2; q = int(np.searchsorted(c, c[-1] * k1 / k * rng.uniform(0.88, 1.12))) + 1
        rec(o[:q], k1); rec(o[q:], k - k1)
    for g, k in zip(groups, ng): rec(np.flatnonzero(fgroup[bface] == g), k)

    def comps(lab):
        A = coo_matrix((np.ones(int(lab[1].sum())), (bi[lab[1]], bj[lab[1]])), shape=(nb, nb)); return connected_components(A, False)[1]
    for _ in range(12):  # stray pieces join a touching community of the same face
        cc = comps((None, (comm_b[bi] == comm_b[bj])))
        size = np.bincount(cc, hb); main = {}
        for c in range(len(size)):
            k = (comm_b[cc == c][0], bface[cc == c][0]); main[k] = max(main.get(k, -1), size[c])
        moved = 0
        for c in np.argsort(size):
            b0 = np.flatnonzero(cc == c); k = (comm_b[b0][0], bface[b0][0])
            if size[c] < main[k] or size[c] < 210:
                nbh = [comm_b[x] for b in b0 for x in badj[b] if cc[x] != c]
                if nbh: comm_b[b0] = max(set(nbh), key=nbh.count); moved += 1; break
        if not moved: break
    for _ in range(40):
        cc = comps((None, (comm_b[bi] == comm_b[bj]))); size = np.bincount(cc, hb); bad = np.flatnonzero(size < 210)
        did = False
        for c in bad:
            b0 = np.flatnonzero(cc == c); nbh = [comm_b[x] for b in b0 for x in badj[b] if cc[x] != c]
            if nbh: comm_b[b0] = max(set(nbh), key=nbh.count); did = True; break
        if not did: break
    comm = comm_b[U.block]; ok = comm[ei] == comm[ej]
    cont = connected_components(coo_matrix((np.ones(ok.sum()), (ei[ok], ej[ok])), shape=(n, n)), False)[1]
    adj = [[] for _ in range(n)]
    for a, b in zip(ei[ok], ej[ok]): adj[a].append(b); adj[b].append(a)
    # the old plan was balanced for yesterday's households
    tot_c = np.bincount(U.compound[U.compound >= 0], h[U.compound >= 0], 147); fresh = set(rng.permutation(np.flatnonzero((tot_c > 120) & (tot_c < 340)))[:11].tolist()); h0 = h.astype(float)
    fac_b = rng.lognormal(0.0, 0.15, nb); h0 /= fac_b[U.block]
    cmp_ = U.compound.to_numpy(); h0[np.isin(cmp_, list(fresh))] = 0.0
    up = rng.choice(np.flatnonzero(use == "street"), 26, replace=False); h0[np.isin(U.block, up)] *= 1.7   # half-demolished lanes
    C = cont.max() + 1
    k0 = apportion(np.bincount(cont, h0, C), GRIDS, h0.sum() / GRIDS)
    rep = np.arange(n)                       # contract compounds that fit one grid
    cur = np.full(n, -1); gid = 0
    for c in range(C):
        ids = np.flatnonzero(cont == c); atom = {}
        for a in ids:
            ha = h0[cmp_ == cmp_[a]].sum() if cmp_[a] >= 0 else 0
            atom[a] = ("c", int(cmp_[a])) if cmp_[a] >= 0 and 0 < ha < 330 else ("b", int(a))
        names = sorted(set(atom.values())); pos = {q: i for i, q in enumerate(names)}
        ai = np.array([pos[atom[a]] for a in ids]); aw = np.bincount(ai, h0[ids]); ax = np.c_[np.bincount(ai, xy[ids, 0]), np.bincount(ai, xy[ids, 1])] / np.bincount(ai)[:, None]
        aadj = [set() for _ in names]
        for a in ids:
            for b in adj[a]:
                if atom[a] != atom[b]: aadj[pos[atom[a]]].add(pos[atom[b]])
        o = []; bfs_bisect(np.arange(len(names)), [sorted(s) for s in aadj], aw, ax, int(min(k0[c], len(names))), rng, o)
        for part in o:
            cur[ids[np.isin(ai, part)]] = gid; gid += 1
    U = gpd.GeoDataFrame(dict(uid=np.arange(n), w=h, x=xy[:, 0], y=xy[:, 1], area=shapely.area(np.array(geoms)), perim=shapely.length(np.array(geoms)),
                              container=cont, community=comm, compound=cmp_, block=U.block, kind=U.kind, current=cur), geometry=geoms, crs=4547)
    E = pd.DataFrame(dict(u=ei, v=ej, shared_len=np.round(el, 2), ok=ok.astype("int8")))
    return U, E, bars


def main():
    ap = argparse.ArgumentParser(); ap.add_argument("--seed", type=int, default=1); ap.add_argument("--out", default="data/synth1"); ap.add_argument("--gpkg", action="store_true")
    a = ap.parse_args(); os.makedirs(a.out, exist_ok=True)
    U, E, bars = build(a.seed)
    k = apportion(np.bincount(U.container, U.w), GRIDS, TARGET)
    meta = dict(name=f"synth{a.seed}", target=TARGET, K=GRIDS, k_per_container=k.tolist(), crs="local metres", weight="households", source=f"instance.py --seed {a.seed}")
    json.dump(meta, open(f"{a.out}/meta.json", "w"))
    U.to_parquet(f"{a.out}/units.parquet"); E.to_parquet(f"{a.out}/edges.parquet")
    if a.gpkg:
        U.to_file(f"{a.out}/units.gpkg", layer="units"); gpd.GeoDataFrame(dict(kind=[x for x, _ in bars]), geometry=[b for _, b in bars], crs=4547).to_file(f"{a.out}/units.gpkg", layer="barriers")
    cs = np.bincount(U.current, U.w, minlength=U.current.max() + 1); hc = np.bincount(U.container, U.w)
    print(dict(units=len(U), buildings=int((U.w > 0).sum()), edges=len(E), households=int(U.w.sum()), communities=U.community.nunique(), containers=len(hc), compounds=int(U.compound.max() + 1),
               current_grids=len(cs), cur_min=int(cs.min()), cur_p5=float(np.percentile(cs, 5)), cur_p95=float(np.percentile(cs, 95)), cur_max=int(cs.max()), within10=float((abs(cs / 300 - 1) <= .1).mean()),
               container_hh=sorted(hc.tolist()), maxw=int(U.w.max()), comp_le330=int((U[U.compound >= 0].groupby("compound").w.sum() <= 330).sum())))


if __name__ == "__main__":
    main()
