"""Why a row can be refused: every reason there is, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a row is refused: a lasting name, and short words for people."""

    name: str
    en: str
    zh: str


MISSING = Reason("missing", "is required and empty", "必填项为空")
CONTROL_CHARACTER = Reason("control_character", "holds a control character", "含控制字符")
TOO_LONG = Reason("too_long", "is too long", "文字过长")
SPREADSHEET_ERROR = Reason("spreadsheet_error", "is an error of the spreadsheet", "表格公式出错")
NOT_INTEGER = Reason("not_integer", "is not a whole number", "不是整数")
NEGATIVE = Reason("negative", "is negative", "不能为负数")
OUT_OF_RANGE = Reason("out_of_range", "is out of range", "超出范围")
BAD_DATE = Reason("bad_date", "is not a date", "日期无法识别")
BAD_CHOICE = Reason("bad_choice", "is not one of the words accepted", "不在可选项之内")
CELL_COUNT = Reason("cell_count", "has another number of cells than the header", "列数与表头不符")

DUPLICATE_CODE = Reason("duplicate_code", "is given to several rows", "编码重复")
CLASHING_CODE = Reason("clashing_code", "already names something else", "编码已被占用")
BAD_CODE = Reason("bad_code", "is no code of this district", "不是本区的编码")
UNKNOWN_REFERENCE = Reason("unknown_reference", "names nothing that exists", "引用的对象不存在")
REFUSED_REFERENCE = Reason("refused_reference", "names a row that was refused", "引用的行已被拒绝")
NO_COMMUNITY = Reason(
    "no_community", "cannot be found: no code, no compound, no boundary", "无法判定所属社区"
)

NOT_A_NUMBER = Reason("not_a_number", "is not a number", "不是数字")
NOT_FINITE = Reason("not_finite", "is not a finite number", "坐标不是有限数值")
NO_POSITION = Reason("no_position", "is missing, and this needs a place", "缺少位置")
UNREADABLE_SHAPE = Reason("unreadable_shape", "cannot be read as a geometry", "几何无法读取")
WRONG_SHAPE = Reason("wrong_shape", "is another kind of geometry than this needs", "几何类型不符")
EMPTY_SHAPE = Reason("empty_shape", "is empty", "几何为空")
INVALID_RING = Reason("invalid_ring", "has rings that cross; mending them changes its area", "边界自相交")
SWAPPED_AXES = Reason("swapped_axes", "has longitude and latitude swapped", "经纬度颠倒")
OUTSIDE_SYSTEM = Reason("outside_system", "is outside the coordinate system's area", "超出坐标系范围")
FAR_AWAY = Reason("far_away", "is far from the rest of the district", "远离本区")
OUTSIDE_COMMUNITY = Reason("outside_community", "lies outside its community", "位于所属社区之外")

OVERLAPPING_DUTY = Reason("overlapping_duty", "overlaps another primary duty of the grid", "主责值守时间重叠")
BAD_PERIOD = Reason("bad_period", "ends before it begins", "结束早于开始")
ONE_HANDLER = Reason("one_handler", "needs a grid or a department, and not both", "网格与部门须且只能填一个")
OPEN_OR_CLOSED = Reason("open_or_closed", "is closed without a date, or open with one", "状态与办结日期不符")

BY_NAME = {value.name: value for value in list(globals().values()) if isinstance(value, Reason)}
"""Every reason by its lasting name, as it is kept with an import."""
