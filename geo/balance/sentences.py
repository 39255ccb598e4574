"""Reasons in words, Chinese and English, with the caller's names of grids and compounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from geo.answers import Words
from geo.balance import breaks, reasons, rules
from geo.balance.breaks import Break
from geo.balance.reasons import Explanation, Move, Stay

Name = Callable[[int], str]
"""What a label or a number of a compound is called, without the word grid or compound."""

RULES = {
    rules.LOCK: Words("按锁定要求", "as locked"),
    rules.COMMUNITY: Words("跨社区，须修正", "repair: reached beyond its community"),
    rules.BARRIER: Words("被阻隔分开，须修正", "repair: cut by a barrier"),
    rules.IN_PIECES: Words("不连通，须修正", "repair: in pieces"),
    rules.DISSOLVED: Words("网格撤销", "grid dissolved"),
    rules.OPENED: Words("新设网格", "grid opened"),
    rules.ABOVE: Words("原网格超出上限", "source above the band"),
    rules.BELOW: Words("接收网格低于下限", "destination below the band"),
    rules.WHOLE: Words("减少小区拆分", "compound in fewer grids"),
    rules.CHAIN: Words("逐级调剂", "passed on in a chain"),
    rules.NEARER: Words("更接近目标", "nearer to the target"),
    rules.SHAPE: Words("边界更规整", "rounder shape"),
    rules.EXCHANGE: Words("统筹调整", "part of the whole"),
    rules.PLACED: Words("原无网格", "in no grid before"),
}
"""Each rule in a few words, as a table shows it."""

_HEADS = {
    rules.LOCK: Words("按锁定要求：", "As the locks ask: "),
    rules.COMMUNITY: Words("网格{s} 跨社区：", "Grid {s} reached into another community: "),
    rules.BARRIER: Words(
        "网格{s} 被河流、铁路等分开：", "Grid {s} was cut by a river, a railway or the like: "
    ),
    rules.IN_PIECES: Words("网格{s} 不连通：", "Grid {s} was in pieces: "),
    rules.ABOVE: Words(
        "网格{s} 原有 {before} 户，超出上限 {most}：",
        "Grid {s} had {before} households, above the most of {most}: ",
    ),
    rules.BELOW: Words(
        "网格{d} 原有 {to_before} 户，低于下限 {least}：",
        "Grid {d} had {to_before} households, below the least of {least}: ",
    ),
    rules.WHOLE: Words("减少小区{joined} 的拆分：", "Compound {joined} lies in fewer grids: "),
    rules.NEARER: Words(
        "网格{s}、网格{d} 合计更接近目标 {target} 户：",
        "Together, grids {s} and {d} come nearer to the target of {target}: ",
    ),
    rules.SHAPE: Words("使网格{s}、网格{d} 边界更规整：", "For rounder grids {s} and {d}: "),
    rules.EXCHANGE: Words("统筹全片的调整，无单独原因：", "Part of the whole, with no reason of its own: "),
    rules.PLACED: Words("原不属任何网格：", "In no grid before: "),
}
_DISSOLVED = {
    "fewer": Words(
        "本片网格由 {grids_before} 个减为 {grids_after} 个，网格{s}（原有 {before} 户）撤销：",
        "This part of the community has {grids_after} grids in place of {grids_before}; grid {s} ({before} households)"
        " is dissolved: ",
    ),
    "light": Words(
        "网格{s} 原有 {before} 户，低于下限 {least}，撤销：",
        "Grid {s} had {before} households, below the least of {least}, and is dissolved: ",
    ),
    "other": Words("网格{s}（原有 {before} 户）撤销：", "Grid {s} ({before} households) is dissolved: "),
}
_OPENED = {
    "above": Words(
        "网格{s} 原有 {before} 户，超出上限 {most}，新设网格{d}：",
        "Grid {s} had {before} households, above the most of {most}; grid {d} is opened: ",
    ),
    "more": Words(
        "本片网格由 {grids_before} 个增为 {grids_after} 个，新设网格{d}：",
        "This part of the community has {grids_after} grids in place of {grids_before}; grid {d} is opened: ",
    ),
    "other": Words("新设网格{d}：", "Grid {d} is opened: "),
}
_CHAINS = {
    (True, True): Words(
        "由网格{origin} 向网格{end} 逐级调剂：", "Passed on from grid {origin} towards grid {end}: "
    ),
    (True, False): Words("由网格{origin} 逐级调出：", "Passed on from grid {origin}: "),
    (False, True): Words("为补足网格{end} 逐级调剂：", "Passed on towards grid {end}: "),
}
_NAMED = {rules.COMMUNITY, rules.BARRIER, rules.IN_PIECES, rules.DISSOLVED, rules.ABOVE}
"""Rules whose sentence begins with the source."""

_BREAKS = {
    breaks.WALLED: Words(
        "社区界线或河流、铁路等穿过，任何方案都须分开（已证明）。",
        "a border of communities or a barrier runs through it, so that every plan breaks it (proven).",
    ),
    breaks.LOCKED: Words("锁定使其分开（已证明）。", "locks break it (proven)."),
    breaks.SIZE: Words(
        "其余不动，{part}并入网格{into} 将为 {weight} 户，少 {lost} 个网格达标；是否另有办法，未证明。",
        "all else left as it is, {part} joined in grid {into} would make it {weight} households, and {lost} fewer"
        " grids in band; whether another plan does better is not proven.",
    ),
    breaks.SHAPE: Words(
        "其余不动，再作合并都会使网格断开、撤销或违反锁定；是否另有办法，未证明。",
        "all else left as it is, joining its parts would cut a grid in pieces, end one or break a lock; whether"
        " another plan does better is not proven.",
    ),
    breaks.FREE: Words(
        "{part}并入网格{into}（{weight} 户）不减少达标网格：所选侧重允许拆分，以少划转或顾及其他。",
        "with {part} joined in grid {into} ({weight} households) as many would be in band: the profile lets it be"
        " broken, to move fewer or for its other costs.",
    ),
}
_STAYS = {
    reasons.HEAVY: Words(
        "其中一个地块即有 {heaviest} 户，超出上限 {most}（已证明无法达标）。",
        "one cell of it alone has {heaviest}, above the most of {most} (proven: it cannot be in band).",
    ),
    reasons.FROZEN: Words("网格已锁定，未作调整。", "it is frozen and was left alone."),
    reasons.COUNT: Words(
        "本片 {grids} 个网格最多 {at_most} 个能达标（已证明）。",
        "of the {grids} grids of this part of the community, at most {at_most} can be in band (proven).",
    ),
    reasons.UNPROVEN: Words(
        "本片 {grids} 个网格，未证明不能更好。",
        "that its part of the community ({grids} grids) allows no better is not proven.",
    ),
}


def told_move(
    move: Move, whole: Explanation, grid: Name, compound: Name = str, withheld_below: int = 0
) -> Words:
    """Say why cells move; households fewer than ``withheld_below`` are not counted out."""
    values = {
        "s": grid(move.source) if move.source >= 0 else "",
        "d": grid(move.destination),
        "grids_before": move.grids_before,
        "grids_after": move.grids_after,
        "origin": "" if move.origin is None else grid(move.origin),
        "end": "" if move.end is None else grid(move.end),
        "target": f"{whole.target:,}",
        **_band(whole),
    }
    head, joined = _head(move, whole), [compound(each) for each in move.joined]
    before, to_before = (
        _count(each, withheld_below) for each in (move.source_before, move.destination_before)
    )
    zh, en = (
        text.format(**values, joined=sep.join(joined), before=source, to_before=destination)
        for text, sep, source, destination in zip(head, ("、", ", "), before, to_before, strict=True)
    )
    what = _amount(move, withheld_below)
    whose = Words("", "")
    if move.source >= 0 and move.rule not in _NAMED:
        whose = Words(f"网格{values['s']} 的 ", f" from grid {values['s']}")
    zh += f"{whose.zh}{what.zh}划入网格{values['d']}"
    en += f"{what.en}{whose.en} to grid {values['d']}"
    if joined and move.rule != rules.WHOLE:
        zh += f"，小区{'、'.join(joined)} 的拆分随之减少"
        en += f", so that compound {', '.join(joined)} lies in fewer grids"
    return Words(f"{zh}。", f"{en}.")


def told_break(broken: Break, grid: Name, compound: Name = str, withheld_below: int = 0) -> Words:
    """Say why a compound is broken; households fewer than ``withheld_below`` are not counted out."""
    part = Words("整体", "all of it")
    if broken.part is not None:
        part = Words(f"网格{grid(broken.part)} 内的部分", f"its part in grid {grid(broken.part)}")
    values = {
        "into": "" if broken.into is None else grid(broken.into),
        "lost": broken.lost,
    }
    weight = _count(broken.weight or 0, withheld_below)
    zh, en = (
        text.format(**values, part=mine, weight=size)
        for text, mine, size in zip(_BREAKS[broken.reason], part, weight, strict=True)
    )
    names, count = [grid(each) for each in broken.grids], len(broken.grids)
    today = broken.before
    was = Words(f"（现为 {today} 个）", f" ({today} today)") if today not in (0, count) else Words("", "")
    whose, homes = compound(broken.compound), _count(broken.households, withheld_below)
    return Words(
        f"小区{whose}（{homes.zh} 户）分在 {count} 个网格{was.zh}：{'、'.join(names)}；{zh}",
        f"Compound {whose} ({homes.en} households) lies in {count} grids{was.en}: {', '.join(names)}; {en}",
    )


def told_stay(stay: Stay, whole: Explanation, grid: Name, withheld_below: int = 0) -> Words:
    """Say why a grid is out of band; households fewer than ``withheld_below`` are not counted out."""
    values = {"grids": stay.grids, "at_most": stay.at_most, **_band(whole)}
    heaviest = _count(stay.heaviest, withheld_below)
    zh, en = (
        text.format(**values, heaviest=size) for text, size in zip(_STAYS[stay.reason], heaviest, strict=True)
    )
    high = stay.weight > whole.most
    name, now = grid(stay.grid), _count(stay.weight, withheld_below)
    limit = f"{whole.most if high else whole.least:,}"
    still = "仍为" if stay.before == stay.weight else "将为"
    return Words(
        f"网格{name} {still} {now.zh} 户，{'超出上限' if high else '低于下限'} {limit}：{zh}",
        f"Grid {name} has {now.en} households, {'above the most' if high else 'below the least'} of {limit}: {en}",
    )


def told(whole: Explanation, grid: Name, compound: Name = str) -> list[Words]:
    """Say all of an explanation, a sentence each: moves, what had no grid, broken compounds, what stays."""
    moves: Sequence[Move] = (*whole.moves, *whole.placed)
    return [
        *(told_move(move, whole, grid, compound) for move in moves),
        *(told_break(broken, grid, compound) for broken in whole.breaks),
        *(told_stay(stay, whole, grid) for stay in whole.stays),
    ]


def _count(households: int, withheld_below: int) -> Words:
    """Spell a count of households, but not one of few."""
    if 0 < households < withheld_below:
        return Words(f"不足 {withheld_below}", f"fewer than {withheld_below}")
    return Words(f"{households:,}", f"{households:,}")


def _band(whole: Explanation) -> dict[str, str]:
    return {"least": f"{whole.least:,}", "most": f"{whole.most:,}"}


def _head(move: Move, whole: Explanation) -> Words:
    if move.rule == rules.CHAIN:
        return _CHAINS[move.origin is not None, move.end is not None]
    if move.rule == rules.DISSOLVED:
        fewer, light = move.grids_after < move.grids_before, move.source_before < whole.least
        return _DISSOLVED["fewer" if fewer else "light" if light else "other"]
    if move.rule == rules.OPENED:
        above, more = move.source_before > whole.most, move.grids_after > move.grids_before
        return _OPENED["above" if above else "more" if more else "other"]
    return _HEADS[move.rule]


def _amount(move: Move, withheld_below: int) -> Words:
    count = move.cells if not move.buildings else move.buildings
    noun = Words("个地块", "cell") if not move.buildings else Words("栋", "building")
    what = Words(f"{count:,} {noun.zh}", f"{count:,} {noun.en}{'' if count == 1 else 's'}")
    if 0 < move.households < withheld_below:
        return Words(
            f"{what.zh}不足 {withheld_below} 户", f"{what.en}, fewer than {withheld_below} households,"
        )
    many = "" if move.households == 1 else "s"
    return Words(f"{what.zh} {move.households:,} 户", f"{what.en}, {move.households:,} household{many}")
