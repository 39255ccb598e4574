# ruff: noqa
# fmt: off
"""python metrics.py INSTANCE_DIR ASSIGNMENT(.npy|.csv with uid,district) [--seconds S --peak-mb M] -> JSON on stdout"""
import argparse, json, math
import numpy as np, pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


class Instance:
    def __init__(s, d):
        s.meta = json.load(open(f"{d}/meta.json")); U = pd.read_parquet(f"{d}/units.parquet", columns=["w", "x", "y", "area", "perim", "container", "community", "compound", "current"])
        E = pd.read_parquet(f"{d}/edges.parquet"); s.n = len(U); s.T = s.meta["target"]; s.K = s.meta["K"]; s.k = np.array(s.meta["k_per_container"])
        for c in U.columns: setattr(s, c, U[c].to_numpy())
        s.w = s.w.astype(np.int64); s.u, s.v, s.sl, s.ok = E.u.to_numpy(), E.v.to_numpy(), E.shared_len.to_numpy(), E.ok.to_numpy().astype(bool); s.xy = np.c_[s.x, s.y]

    def sub(s, c):
        """ids, local edges (i,j,len) of one container"""
        ids = np.flatnonzero(s.container == c); pos = np.full(s.n, -1); pos[ids] = np.arange(len(ids))
        m = s.ok & (s.container[s.u] == c) & (s.container[s.v] == c); return ids, pos[s.u[m]], pos[s.v[m]], s.sl[m]


def score(I, lab, seconds=None, peak=None):
    lab = pd.factorize(np.asarray(lab))[0]; D = lab.max() + 1; w, T = I.w, I.T
    s = np.bincount(lab, w, D); dev = np.abs(s / T - 1)
    same = (lab[I.u] == lab[I.v]); m = same & I.ok
    comp = connected_components(coo_matrix((np.ones(m.sum()), (I.u[m], I.v[m])), shape=(I.n, I.n)), False)[1]
    nc = pd.DataFrame(dict(l=lab, c=comp)).groupby("l").c.nunique().to_numpy()
    cross = lambda col: int((pd.DataFrame(dict(l=lab, c=col)).groupby("l").c.nunique() > 1).sum())
    area = np.bincount(lab, I.area, D); per = np.bincount(lab, I.perim, D); inner = np.bincount(lab[I.u[same]], I.sl[same], D); per = np.maximum(per - 2 * inner, 1e-12)
    pp = np.minimum(1, 4 * math.pi * area / per ** 2)
    r = dict(instance=I.meta["name"], districts=int(D), K=int(I.K), max_dev=round(float(dev.max()), 4), p95_dev=round(float(np.percentile(dev, 95)), 4), mean_dev=round(float(dev.mean()), 4),
             within5=round(float((dev <= .05 + 1e-9).mean()), 4), within10=round(float((dev <= .10 + 1e-9).mean()), 4), noncontiguous=int((nc > 1).sum()), container_crossing=cross(I.container), community_crossing=cross(I.community),
             cut_edges=int((~same & I.ok).sum()), cut_len=round(float(I.sl[~same & I.ok].sum()), 3), mean_pp=round(float(pp.mean()), 4), p5_pp=round(float(np.percentile(pp, 5)), 4))
    q = I.compound >= 0
    if q.any():
        t = pd.DataFrame(dict(c=I.compound[q], l=lab[q], w=w[q])); t = t[t.w > 0]; g = t.groupby("c"); pieces, hh = g.l.nunique(), g.w.sum()
        ex = (pieces - np.ceil(hh / (1.1 * T))).clip(lower=0); small = hh <= 1.1 * T
        r.update(compounds=int(len(hh)), compounds_split_needlessly=int((ex > 0).sum()), excess_pieces=int(ex.sum()), small_compounds=int(small.sum()), small_compounds_split=int((small & (pieces > 1)).sum()))
    if (I.current >= 0).all():
        M = np.zeros((D, I.current.max() + 1)); np.add.at(M, (lab, I.current), w); a, b = linear_sum_assignment(-M)
        r.update(moved=int(w.sum() - M[a, b].sum()), moved_share=round(float(1 - M[a, b].sum() / w.sum()), 4))
    if seconds is not None: r["seconds"] = round(seconds, 2)
    if peak is not None: r["peak_mb"] = round(peak)
    return r


if __name__ == "__main__":
    ap = argparse.ArgumentParser(); ap.add_argument("instance"); ap.add_argument("assignment"); ap.add_argument("--seconds", type=float); ap.add_argument("--peak-mb", type=float); a = ap.parse_args()
    I = Instance(a.instance)
    if a.assignment == "current": lab = I.current
    elif a.assignment.endswith(".npy"): lab = np.load(a.assignment)
    else: t = pd.read_csv(a.assignment).sort_values("uid"); lab = t.district.to_numpy()
    print(json.dumps(score(I, lab, a.seconds, a.peak_mb)))
