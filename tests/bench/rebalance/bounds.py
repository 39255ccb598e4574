# ruff: noqa
# fmt: off
"""Proven bounds. python bounds.py INSTANCE [--exact C1,C2 --time 60]
 1. moves_lb: a lower bound on households moved for ANY plan with every grid within +-10% (means outside the band relax it), even ignoring contiguity and indivisible buildings.
 2. --exact: CP-SAT per container with lazy contiguity cuts: (a) least possible worst deviation, (b) least households moved with every grid within +-10%."""
import argparse, itertools, json, time
import numpy as np
from ortools.sat.python import cp_model
from metrics import Instance


def moves_lb(I, tol=.1):
    tot = 0; per = {}
    for c in range(len(I.k)):
        m = I.container == c; k = int(I.k[c]); cur = np.bincount(np.unique(I.current[m], return_inverse=True)[1], I.w[m]); cur = np.sort(cur)[::-1]; H = cur.sum(); mean = H / k
        lo, hi = min((1 - tol) * I.T, np.floor(mean)), max((1 + tol) * I.T, np.ceil(mean))
        if len(cur) >= k: keep, gone = cur[:k], cur[k:].sum()                    # closing the lightest grids moves the fewest
        else: keep, gone = np.r_[cur, np.zeros(k - len(cur))], 0.0
        shed = np.maximum(0, keep - hi).sum() + gone; fill = np.maximum(0, lo - keep).sum(); per[c] = int(np.ceil(max(shed, fill))); tot += per[c]
    return tot, per


def exact(I, c, mode, tlim, tol=.1, verbose=False, hint=None):
    ids, a, b, l = I.sub(c); n, k = len(ids), int(I.k[c]); w = I.w[ids]; H = int(w.sum()); T = int(round(I.T)); t0 = time.time()
    adj = [[] for _ in range(n)]
    for x, y in zip(a, b): adj[x].append(int(y)); adj[y].append(int(x))
    old = np.unique(I.current[ids]); cur = np.searchsorted(old, I.current[ids]); L = max(k, len(old)); lo, hi = int(np.ceil(min((1 - tol) * T, H // k))), int(np.floor(max((1 + tol) * T, -(-H // k))))
    M = cp_model.CpModel(); X = [[M.NewBoolVar("") for _ in range(L)] for _ in range(n)]; on = [M.NewBoolVar("") for _ in range(L)]
    for i in range(n):
        M.AddExactlyOne(X[i])
        for j in range(L): M.AddImplication(X[i][j], on[j])
    M.Add(sum(on) == k); size = [sum(int(w[i]) * X[i][j] for i in range(n)) for j in range(L)]
    for j in range(len(old), L - 1): M.Add(size[j] >= size[j + 1])
    if mode == "dev":
        d = M.NewIntVar(0, H, "d")
        for j in range(L): M.Add(size[j] - T <= d); M.Add(T - size[j] <= d).OnlyEnforceIf(on[j])
        M.Minimize(d)
        if L == len(old):
            pass
    else:
        for j in range(L): M.Add(size[j] <= hi); M.Add(size[j] >= lo).OnlyEnforceIf(on[j])
        M.Minimize(sum(int(w[i]) * (1 - X[i][cur[i]]) for i in range(n)))
    S = cp_model.CpSolver(); S.parameters.num_workers = 2; S.parameters.random_seed = 1; cuts = 0; lb = 0
    while True:
        S.parameters.max_time_in_seconds = max(1, tlim - (time.time() - t0)); st = S.Solve(M)
        if st not in (cp_model.OPTIMAL, cp_model.FEASIBLE): return dict(container=int(c), mode=mode, status=S.StatusName(st), lb=lb, cuts=cuts, sec=round(time.time() - t0, 1))
        lb = max(lb, int(np.ceil(S.BestObjectiveBound() - 1e-6))); p = np.array([next(j for j in range(L) if S.Value(X[i][j])) for i in range(n)]); bad = 0
        for j in range(L):
            V = set(np.flatnonzero(p == j).tolist()); comps = []
            while V:
                q = [V.pop()]; cc = set(q)
                while q:
                    for y in adj[q.pop()]:
                        if y in V: V.discard(y); cc.add(y); q.append(y)
                comps.append(cc)
            if len(comps) < 2: continue
            comps.sort(key=lambda cc: -sum(w[list(cc)])); root = comps[0]; r = max(root, key=lambda i: (cur[i] == j, w[i]))
            for cc in comps[1:]:
                sep = {y for i in cc for y in adj[i] if y not in cc}
                # keep only separator vertices reachable from the root without crossing the separator
                q = [r]; seen = {r}; z = set()
                while q:
                    for y in adj[q.pop()]:
                        if y in sep: z.add(y)
                        elif y not in seen: seen.add(y); q.append(y)
                for s in (sorted(cc, key=lambda i: -w[i])[:6]):
                    for jj in range(L): M.AddBoolOr([X[s][jj].Not(), X[r][jj].Not()] + [X[y][jj] for y in z]); cuts += 1
                bad += 1
        if not bad: return dict(container=int(c), mode=mode, n=n, k=k, households=H, status=S.StatusName(st), value=int(S.ObjectiveValue()), lb=lb, cuts=cuts, sec=round(time.time() - t0, 1))
        if time.time() - t0 > tlim: return dict(container=int(c), mode=mode, n=n, k=k, households=H, status="time", lb=lb, cuts=cuts, sec=round(time.time() - t0, 1))


if __name__ == "__main__":
    ap = argparse.ArgumentParser(); ap.add_argument("instance"); ap.add_argument("--exact", default=""); ap.add_argument("--time", type=float, default=60); a = ap.parse_args(); I = Instance(a.instance)
    if (I.current >= 0).all(): t, per = moves_lb(I); print(json.dumps(dict(instance=I.meta["name"], moves_lb=t, share=round(t / int(I.w.sum()), 4))))
    for c in [int(x) for x in a.exact.split(",") if x]:
        for m in ("dev", "move"): print(json.dumps(exact(I, c, m, a.time)), "lb_simple", per[c], flush=True)
