"""What is wrong with an address, in words."""

from __future__ import annotations

from geo.address.faults import Kind
from geo.answers import Words

WORDS = {
    Kind.ALIAS: Words("用的是别名", "By another name than the official one"),
    Kind.SPELLING: Words("疑有错别字", "A name seems misspelled"),
    Kind.PINYIN: Words("名称以字母书写", "A name is written in letters"),
    Kind.INITIALS: Words("名称只有拼音首字母", "A name is given by its initials only"),
    Kind.PART_OF_NAME: Words("名称不完整，有几处同类", "Part of a name, which several have"),
    Kind.TOWN: Words("所写街道与登记不符", "It is in another town than written"),
    Kind.COMMUNITY: Words("所写社区与登记不符", "It is in another community than written"),
    Kind.DISTRICT: Words("所写区县与登记不符", "It is in another district than written"),
    Kind.STREET: Words("所写道路与登记不符", "It is on another road than written"),
    Kind.STREET_NUMBER: Words("所写门牌号与登记不符", "Its street number is another than written"),
    Kind.COMPOUND: Words("所写小区与登记不符", "It is not in the compound written"),
    Kind.POI: Words("所写地点与登记不符", "It is not the place written"),
    Kind.ENTRANCE: Words("登记中该楼没有此单元", "The building has no such entrance in the register"),
    Kind.WORDS: Words("有登记中没有的字词", "Words the register does not have"),
    Kind.PREFIX: Words(
        "名称前有登记中没有的字", "Words in front of the name that the register does not have"
    ),
    Kind.READING: Words("号码有不止一种读法", "The numbers can be read in more than one way"),
    Kind.ORDER: Words("号码写在名称之前", "Written in an unusual order"),
    Kind.NUMBER_WORD: Words("号码后的量词与登记不同", "Another word after the number than in the register"),
    Kind.NUMBER_UNUSED: Words("该地点没有楼号", "The place has no buildings with numbers"),
    Kind.LISTED_UNKNOWN: Words("所列号码中登记没有的", "Of the numbers listed the register lacks"),
    Kind.NO_NUMBER: Words("没有号码", "No number is given"),
    Kind.NUMBER_UNKNOWN: Words("登记中没有此号码", "The register has no such number"),
    Kind.PHASE_UNKNOWN: Words("登记中没有此分期或分区", "The register has no such phase or part"),
    Kind.ELSEWHERE: Words("写的是外地", "It names a place elsewhere"),
}
