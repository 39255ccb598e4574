// @ts-check
// The card of a grid, the same wherever a grid is shown, and the answer to "whose grid is it?".

import { both, make } from "./dom.js";

/** @typedef {import("./dom.js").Words} Words */

/** @type {Record<string, Words>} */
const STATUS = {
  match: { zh: "确定", en: "Certain" },
  approximate: { zh: "大致", en: "Approximate" },
  ambiguous: { zh: "有多种可能", en: "Ambiguous" },
  outside: { zh: "不在本区", en: "Outside the district" },
  none: { zh: "没有找到", en: "Not found" },
  no_answer: { zh: "暂无答案", en: "No answer" },
};

/** @type {Record<string, Words>} */
const KIND = { basic: { zh: "基础网格", en: "basic grid" }, special: { zh: "专属网格", en: "special grid" } };

/** @type {Record<string, Words>} */
const ROLE = { primary: { zh: "主责网格员在岗", en: "worker on duty" }, deputy: { zh: "协助网格员在岗", en: "deputy on duty" } };

/** @type {Record<string, Words>} */
const ROLE_NAME = { primary: { zh: "网格员", en: "Worker" }, deputy: { zh: "协助", en: "Deputy" } };

const VACANT = { zh: "无人值守", en: "Nobody on duty" };

/** @param {string} phone */
const call = (phone) => make("a", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }, phone);

/**
 * @param {string | null} who
 * @param {string | null} phone
 */
const reached = (who, phone) => (phone ? make("span", {}, who, " ", call(phone)) : who);

/**
 * @param {any} grid as the API gives it
 * @returns {HTMLElement}
 */
export function gridCard(grid) {
  const { community, duty } = grid;
  const provisional = { zh: "（暂编）", en: " (provisional)" };
  /** @type {[Words, import("./dom.js").Child][]} */
  const rows = [
    [{ zh: "社区", en: "Community" }, [community.name, community.town].filter(Boolean).join(" · ")],
    [{ zh: "值守", en: "Duty" }, dutyText(duty)],
    ...workers(duty),
    [{ zh: "联系", en: "Turn to" }, reached(duty.channel, duty.phone)],
    [{ zh: "户数", en: "Households" }, grid.households ?? both({ zh: "不公开", en: "withheld" })],
    [{ zh: "台账编码", en: "Ledger's code" }, grid.external_code],
  ];
  return make(
    "article",
    { class: "card" },
    make("h3", {}, grid.code, grid.provisional && make("small", { class: "muted" }, both(provisional))),
    make("p", { class: "muted small" }, both(KIND[grid.kind] ?? { zh: grid.kind, en: grid.kind })),
    table(rows),
  );
}

/**
 * Everything an answer says, the status first, with what a dispatcher should do next.
 * @param {any} answer as the API gives it
 * @param {{steps?: boolean}} [wish] whether that is said
 * @returns {HTMLElement[]}
 */
export function answerCards(answer, { steps = true } = {}) {
  const doubts = [...answer.faults, ...answer.reasons];
  const status = make(
    "p",
    { class: `status ${answer.status}` },
    make("strong", {}, both(STATUS[answer.status] ?? { zh: answer.status, en: answer.status })),
    answer.confidence !== null && answer.grid && answer.precision !== "grid" && make("span", { class: "muted" }, " ", both(confidence(answer.confidence))),
    steps && both({ zh: "：", en: ": " }),
    steps && both(answer.next_step),
  );
  const why = doubts.length && make("ul", { class: "doubts" }, ...doubts.map((/** @type {Words} */ doubt) => make("li", {}, both(doubt))));
  const building = answer.building && make("p", { class: "place" }, answer.building.name);
  const cards = answer.grid ? [gridCard(answer.grid)] : [];
  return [status, why, building, ...cards, change(answer), ...alternatives(answer), ...sites(answer)].filter(Boolean);
}

/**
 * The plan that takes over, and what the place will be in then.
 * @param {any} answer
 */
function change({ next_change: next }) {
  if (!next) return null;
  const day = next.at.slice(0, 16).replace("T", " "); // in the district's time, which the server writes
  const then = next.same ? { zh: "此处不变", en: "this place stays as it is" } : next.grid ? { zh: `此处将归 ${next.grid}`, en: `this place will be in ${next.grid}` } : null;
  const said = make("strong", {}, both({ zh: `${day} 起执行方案 ${next.plan}`, en: `Plan ${next.plan} from ${day}` }));
  return make("p", { class: "change" }, said, then && both({ zh: "：", en: ": " }), then && both(then));
}

/** @param {any} other an alternative: how likely it is, and how far */
function howLikely({ probability, confidence, distance_m: distance }) {
  const likely = probability ?? confidence;
  return [likely === null ? null : percent(likely), distance === null ? null : metres(distance)].filter(Boolean).join(" · ");
}

/** @param {any} answer */
function alternatives({ alternatives: others }) {
  if (!others.length) return [];
  const rows = others.map((/** @type {any} */ other) =>
    make(
      "tr",
      {},
      make("td", {}, other.grid.code, make("br"), make("span", { class: "muted" }, [other.grid.community.name, other.building?.name].filter(Boolean).join(" · "), " ", other.grid.duty.phone && call(other.grid.duty.phone))),
      make("td", { class: "number" }, howLikely(other)),
    ),
  );
  return [heading({ zh: "其他可能", en: "Alternatives" }), make("table", { class: "list" }, ...rows)];
}

/**
 * The nearest site of each service; a site is listed once, with all it is the nearest for.
 * @param {any} answer
 */
function sites({ sites: near }) {
  if (!near?.length) return [];
  /** @type {Map<any, {site: any, distance: number, services: string[]}>} */
  const listed = new Map();
  for (const { site, service, distance_m: distance } of near) {
    const key = `${site.lon} ${site.lat} ${site.name}`;
    const row = listed.get(key) ?? { site, distance, services: [] };
    if (service !== null) row.services.push(service);
    listed.set(key, row);
  }
  const rows = [...listed.values()].map(({ site, distance, services }) =>
    make(
      "tr",
      {},
      make("td", {}, site.name, make("span", { class: "muted" }, [` ${services.join("、")}`, site.hours].filter(Boolean).join(" · "))),
      make("td", { class: "number" }, metres(distance)),
    ),
  );
  return [heading({ zh: "最近的党群服务阵地", en: "Nearest party-service sites" }), make("table", { class: "list" }, ...rows)];
}

/** @param {any} duty */
function dutyText(duty) {
  if (!duty.on_duty.length) return make("span", { class: "problem" }, both(VACANT));
  /** @type {Words[]} */
  const roles = duty.on_duty.map((/** @type {string} */ role) => ROLE[role] ?? { zh: role, en: role });
  return both({ zh: roles.map(({ zh }) => zh).join("，"), en: roles.map(({ en }) => en).join(", ") });
}

/**
 * Who is on duty by name, which staff are told.
 * @param {any} duty
 * @returns {[Words, import("./dom.js").Child][]}
 */
function workers({ workers: named = [] }) {
  return named.map((/** @type {any} */ { role, worker, phone }) => [ROLE_NAME[role] ?? { zh: role, en: role }, reached(worker, phone)]);
}

/**
 * @param {[Words, import("./dom.js").Child][]} rows those without a value are left out
 * @returns {HTMLElement}
 */
export function table(rows) {
  const told = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("table", {}, ...told.map(([label, value]) => make("tr", {}, make("th", { scope: "row" }, both(label)), make("td", {}, value))));
}

/** @param {Words} words */
function heading(words) {
  return make("h2", { class: "under" }, both(words));
}

/** @param {number} length */
function metres(length) {
  return length < 1000 ? `${Math.round(length)} m` : `${(length / 1000).toFixed(1)} km`;
}

/** @param {number} share */
function percent(share) {
  return `${Math.floor(share * 100)}%`; // never more than is known
}

/** @param {number} share */
function confidence(share) {
  return { zh: `可信度 ${percent(share)}`, en: `${percent(share)} sure` };
}
