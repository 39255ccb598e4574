#!/usr/bin/env python3
# ruff: noqa
# fmt: off
"""Score an address->grid resolver on a gold set.
  eval.py --book hidden --url http://127.0.0.1:8000 [--path '/api/v1/resolve?q={q}'] [--map map.json]
  eval.py --book hidden --callable baselines:Proto      (class(book_dir) -> obj(text) -> answer)
answer = {status: match|approximate|ambiguous|none, building_id, grid_id, confidence 0..1, alternatives:[{building_id,grid_id,confidence}]}
map.json maps those keys to dotted paths in the service's JSON, e.g. {"status":"result.status","grid_id":"result.grid.code","alternatives":"candidates"}"""
import argparse, collections, importlib, json, sys, time, urllib.parse, urllib.request
def dig(o, p):
    for k in p.split('.'):
        o = o.get(k) if isinstance(o, dict) else (o[int(k)] if isinstance(o, list) and k.isdigit() and int(k) < len(o) else None)
        if o is None: return None
    return o
class Http:
    def __init__(s, base, path, mp, headers): s.b, s.p, s.m, s.h = base.rstrip('/'), path, mp, headers
    def __call__(s, q):
        r = urllib.request.Request(s.b + s.p.format(q=urllib.parse.quote(q)), headers=s.h)
        try: j = json.load(urllib.request.urlopen(r, timeout=30))
        except urllib.error.HTTPError as e:
            if e.code in (404, 422): return dict(status='none')
            raise
        a = {k: dig(j, s.m.get(k, k)) for k in ('status', 'building_id', 'grid_id', 'confidence', 'alternatives')}
        a['alternatives'] = [{k: dig(x, s.m.get('alt.'+k, k)) for k in ('building_id', 'grid_id', 'confidence')} for x in a['alternatives'] or []]; return a
def pct(v, p): v = sorted(v); return v[min(len(v)-1, int(p*len(v)))] if v else 0
def score(q, a):
    """-> dict of 0/1 facts; None = not applicable"""
    st = a.get('status') or 'none'; g = a.get('grid_id'); alts = [x.get('grid_id') for x in a.get('alternatives') or []]; ag = set(q['accept_grids'])
    top = g if g else (alts[0] if alts else None); cand = ([g] if g else []) + [x for x in alts if x != g]
    e = q['expect']
    if e == 'refuse': bad = st == 'match' or (st == 'approximate' and bool(g)); return dict(ok=not bad, top1=None, top5=None, bld=None, wrong=bad, none=st in ('none', 'outside'))
    hit = top in ag
    if e == 'ambiguous': ok = st != 'match' and any(x in ag for x in cand[:5]); wrong = st == 'match'
    elif e == 'near': ok = hit and st in ('match', 'approximate'); wrong = st in ('match', 'approximate') and not hit
    else: ok = hit and st in ('match', 'approximate'); wrong = st in ('match', 'approximate') and not hit
    return dict(ok=ok, top1=hit, top5=any(x in ag for x in cand[:5]), bld=(a.get('building_id') == q['building_id']) if e == 'match' and q['building_id'] else None, wrong=wrong, none=st == 'none', sure=(st == 'match') if e == 'match' else None)
def main():
    ap = argparse.ArgumentParser(); ap.add_argument('--book', default='hidden'); ap.add_argument('--url'); ap.add_argument('--path', default='/api/v1/resolve?q={q}'); ap.add_argument('--map'); ap.add_argument('--header', action='append', default=[])
    ap.add_argument('--callable'); ap.add_argument('--limit', type=int); ap.add_argument('--json'); ap.add_argument('--errors', type=int, default=0); ap.add_argument('--sample', type=int, default=1)
    a = ap.parse_args()
    if a.url: f = Http(a.url, a.path, json.load(open(a.map)) if a.map else {}, dict(h.split(':', 1) for h in a.header))
    else: m, c = a.callable.split(':'); sys.path.insert(0, '.'); f = getattr(importlib.import_module(m), c)(a.book)
    Q = [json.loads(l) for l in open(f'{a.book}/queries.jsonl', encoding='utf8')][::a.sample][:a.limit]
    for q in Q[:5]: f(q['text'])
    rows = collections.defaultdict(list); T = collections.defaultdict(list); conf = []; errs = []
    for q in Q:
        t = time.perf_counter(); r = f(q['text']) or {}; dt = (time.perf_counter()-t)*1e3; s = score(q, r)
        for k in (q['cls'], 'ALL'): rows[k].append(s); T[k].append(dt)
        if r.get('status') == 'match': conf.append((r.get('confidence') or 0, not s['wrong']))
        if not s['ok']: errs.append((q['cls'], q['sub'], q['text'], q['expect'], q['building_id'], r.get('status'), r.get('building_id'), r.get('confidence')))
    av = lambda v: (100*sum(v)/len(v) if v else float('nan'))
    print(f"{'class':16}{'n':>6}{'ok%':>7}{'top1':>7}{'top5':>7}{'bld':>7}{'wrong':>7}{'none':>7}{'p50ms':>8}{'p99ms':>8}"); out = {}
    for k in sorted(rows, key=lambda x: (x == 'ALL', x)):
        v = rows[k]; o = {m: av([x[m] for x in v if x[m] is not None]) for m in ('ok', 'top1', 'top5', 'bld', 'wrong', 'none')}; o.update(n=len(v), p50=pct(T[k], .5), p99=pct(T[k], .99)); out[k] = o
        print(f"{k:16}{len(v):6}{o['ok']:7.1f}{o['top1']:7.1f}{o['top5']:7.1f}{o['bld']:7.1f}{o['wrong']:7.1f}{o['none']:7.1f}{o['p50']:8.2f}{o['p99']:8.2f}")
    sure = [x['sure'] for x in rows['ALL'] if x.get('sure') is not None]; print(f"status match where one is expected: {av(sure):.1f}%   building right where one is expected: {out['ALL']['bld']:.1f}%   none on non-existent: {av([x['none'] for x in rows['nonexistent']]):.1f}%"); ne = rows['nonexistent']; print(f"false-accept on non-existent: {av([x['wrong'] for x in ne]):.1f}%   silent-wrong overall: {out['ALL']['wrong']:.2f}%")
    for lo in (.99, .95, .9, .8):
        c = [y for x, y in conf if x >= lo]
        if c: print(f'  confidence>={lo}: coverage {100*len(c)/len(Q):.1f}%  precision {av(c):.2f}%')
    if a.json: json.dump(out, open(a.json, 'w'), indent=1)
    import random; random.Random(0).shuffle(errs)
    for e in errs[:a.errors]: print(' ', e)
if __name__ == '__main__': main()
