// @ts-check
// The landing page: the district's map, how it stands, and whose grid a place is in.

import { ApiError, address, ask as post, get } from "./api.js";
import { BaseMap } from "./base.js";
import { setTiles, showTiles } from "./base_tiles.js";
import { answerCards } from "./card.js";
import { both, byId, failure, fill, make } from "./dom.js";
import { deviationOf, deviations, load, range, swatch } from "./legend.js";
import { DistrictMap } from "./map.js";
import { suggest } from "./suggest.js";

/** @typedef {import("./dom.js").Words} Words */
/** @typedef {import("./legend.js").Deviation} Deviation */

const ALL = { limit: 20_000 };

/** @type {{name: string, title: Words, shown: boolean, line?: string, mark?: string, sign?: string}[]} */
const LAYERS = [
  { name: "grids", title: { zh: "网格", en: "Grids" }, shown: true },
  { name: "communities", title: { zh: "社区", en: "Communities" }, shown: true, line: "community" },
  { name: "sites", title: { zh: "党群服务阵地", en: "Party-service sites" }, shown: true, mark: "site", sign: "党" },
  { name: "facilities", title: { zh: "设施", en: "Facilities" }, shown: false, mark: "facility", sign: "充" },
  { name: "rider_communities", title: { zh: "骑手友好社区", en: "Rider-friendly communities" }, shown: false, line: "rider" },
  { name: "rider_points", title: { zh: "骑手点位", en: "Rider points" }, shown: false, mark: "rider", sign: "门" },
  { name: "streets", title: { zh: "道路", en: "Streets" }, shown: false, line: "street" },
  { name: "barriers", title: { zh: "河流、铁路等屏障", en: "Rivers, railways and other barriers" }, shown: false, line: "river" },
];

// Leaflet gives the map the focus at a click too; only who uses the keyboard needs to see it.
document.addEventListener("keydown", () => document.documentElement.classList.add("by-keyboard"));
document.addEventListener("pointerdown", () => document.documentElement.classList.remove("by-keyboard"));

start().catch((error) => notice(...failure(error)));

async function start() {
  notice(both({ zh: "正在载入……", en: "Loading ..." }));
  const [overview, legend] = await Promise.all([get("overview").catch(missing), load()]);
  if (!overview?.plan) {
    notice(...emptyState(overview));
    return;
  }
  const classes = deviations(legend, overview.plan.target, overview.plan.tolerance_percent);
  byId("side").hidden = false;
  head(overview);
  fill(byId("figures"), ...figures(overview));
  fill(byId("credits"), ...credits(overview));
  const grids = await get("layers/grids.geojson", ALL);
  const map = new DistrictMap(byId("map"), legend, classes, (lon, lat) => ask(map, "locate", { lon, lat, crs: "wgs84" }));
  map.credit(overview.attribution);
  map.showGrids(grids, "deviation");
  const counts = countClasses(grids.features, classes);
  chooseColours(map, classes, counts);
  await listLayers(map);
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(map, "resolve", { q: /** @type {HTMLInputElement} */ (byId("address")).value });
  });
  suggest();
  /** @type {HTMLAnchorElement} */ (byId("mine")).search = location.search;
  byId("notice").hidden = true;
  await chooseBase(map).catch((error) => notice(...failure(error))); // all else works without
  byId("map").dataset.ready = "";
}

/** @param {any} overview */
function head(overview) {
  document.title = `${overview.name} 网格 · gridgov`;
  fill(byId("title"), overview.name, " ", both({ zh: "网格", en: "grids" }));
  byId("made-up").hidden = !overview.made_up;
  const since = overview.plan.valid_from.slice(0, 10); // in the district's time, which the server writes
  fill(byId("plan"), both({ zh: `生效方案 ${overview.plan.number}`, en: `Plan in force: ${overview.plan.number}` }), ` ${overview.plan.title} · `, both({ zh: `${since} 起`, en: `since ${since}` }));
}

/** @param {any} overview */
function figures({ figures: counted, plan, share_within: share }) {
  const band = plan.tolerance_percent;
  /** @type {[Words, string, boolean?][]} */
  const lines = [
    [{ zh: "网格", en: "grids" }, number(counted.grids)],
    [{ zh: "户", en: "households" }, number(counted.households)],
    [{ zh: `网格在 ±${band}% 内`, en: `of grids within ±${band}%` }, share === null ? "—" : `${Math.round(100 * share)}%`],
    [{ zh: "社区", en: "communities" }, number(counted.communities)],
    [{ zh: "楼栋", en: "buildings" }, number(counted.buildings)],
    [{ zh: "网格无人值守", en: "grids with nobody on duty" }, number(counted.vacant), counted.vacant > 0],
    [{ zh: "党群服务阵地", en: "party-service sites" }, number(counted.sites)],
    [{ zh: "设施", en: "facilities" }, number(counted.facilities)],
    [{ zh: "骑手友好社区", en: "rider communities" }, number(counted.rider_communities)],
  ];
  return lines.map(([label, value, problem]) => make("div", { class: problem ? "problem" : null }, make("dt", {}, both(label)), make("dd", {}, value)));
}

/** @param {number} count */
function number(count) {
  return count.toLocaleString("en");
}

/**
 * @param {any[]} features
 * @param {Deviation[]} classes
 */
function countClasses(features, classes) {
  /** @type {Map<string, number>} */
  const counts = new Map(classes.map(({ name }) => [name, 0]));
  for (const { properties } of features) {
    const { name } = deviationOf(properties.households, classes);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/**
 * @param {DistrictMap} map
 * @param {Deviation[]} classes
 * @param {Map<string, number>} counts
 */
function chooseColours(map, classes, counts) {
  const legends = {
    deviation: make("ul", { class: "legend" }, ...classes.map((shown) => legendLine(shown, counts.get(shown.name) ?? 0))),
    neighbours: make("p", { class: "muted" }, both({ zh: "相邻网格颜色不同；颜色本身没有含义。", en: "Grids that border each other differ; the colours mean nothing." })),
  };
  const buttons = /** @type {HTMLButtonElement[]} */ ([...byId("colours").children]);
  fill(byId("legend"), legends.deviation);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const chosen = /** @type {keyof typeof legends} */ (button.value);
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      map.paint(chosen);
      fill(byId("legend"), legends[chosen]);
    });
  }
}

/**
 * @param {Deviation} shown
 * @param {number} count
 */
function legendLine(shown, count) {
  return make("li", {}, swatch(shown), make("span", {}, both(shown), " ", make("span", { class: "muted" }, range(shown))), make("span", { class: "number" }, count));
}

/** @param {DistrictMap} map */
async function listLayers(map) {
  const rows = LAYERS.map(({ name, title, shown, line, mark, sign }) => {
    const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", id: `layer-${name}`, checked: shown }));
    box.addEventListener("change", () => show(map, name, box.checked).catch((error) => notice(...failure(error))));
    const key = line ? make("hr", { class: line }) : mark && make("span", { class: `map-mark ${mark}` }, sign);
    const download = make("a", { href: address(`layers/${name}.geojson`, ALL), download: `${name}.geojson` }, "GeoJSON");
    return make("li", {}, box, make("span", { class: "key" }, key), make("label", { for: box.id }, both(title)), make("span", { class: "number" }, download));
  });
  fill(byId("layers"), ...rows);
  await Promise.all(LAYERS.filter(({ shown }) => shown).map(({ name }) => show(map, name, true)));
}

/**
 * Put base maps under the rest, and their switches above the list: our own, and first the one that is set, if any.
 * @param {DistrictMap} map
 */
async function chooseBase(map) {
  const base = new BaseMap(map.map);
  const tiles = await setTiles();
  const own = { zh: "底图：道路、水系、绿地、地名", en: "Base map: streets, water, green, names" };
  switchBase("base", own, !tiles, (shown) => base.show(shown));
  if (tiles) switchBase("tiles", { zh: "外部底图", en: "Pictures as base map" }, true, async (shown) => showTiles(map, tiles, shown));
}

/**
 * @param {string} id
 * @param {Words} title
 * @param {boolean} checked
 * @param {(shown: boolean) => Promise<void>} show
 */
function switchBase(id, title, checked, show) {
  const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", id, checked }));
  byId("layers").prepend(make("li", {}, box, make("span", { class: "key" }, make("hr", { class: "street" })), make("label", { for: id }, both(title))));
  const change = () => show(box.checked).catch((error) => notice(...failure(error)));
  box.addEventListener("change", change);
  change();
}

/**
 * @param {DistrictMap} map
 * @param {string} name
 * @param {boolean} shown
 */
async function show(map, name, shown) {
  if (map.layers.has(name)) map.toggle(name, shown);
  else if (shown) map.add(name, await get(`layers/${name}.geojson`, ALL));
}

/**
 * Ask whose grid a place is in, by point (`locate`) or by address (`resolve`), and show the answer.
 * @param {DistrictMap} map
 * @param {"locate" | "resolve"} path
 * @param {any} query
 */
async function ask(map, path, query) {
  const shown = byId("answer");
  shown.setAttribute("aria-busy", "true");
  try {
    const answer = await post(path, { ...query, include: "sites" });
    fill(shown, ...answerCards(answer));
    const place = path === "locate" ? query : answer.building?.lon != null ? answer.building : null;
    map.point(place, answer.grid?.code ?? null);
  } catch (error) {
    fill(shown, make("p", { class: "status problem" }, ...failure(error)));
  }
  shown.removeAttribute("aria-busy");
  shown.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

/** @param {any} overview */
function credits({ figures: counted, attribution }) {
  const withheld = { zh: "不足 10 户的数不公开，可由合计推出它的另一数也不公开，均不计入总数。", en: "Counts below 10 are withheld, with one more where a total would give them away; the totals are without them." };
  const unplaced = { zh: `${number(counted.unplaced)} 栋楼没有坐标，可按地址查询。`, en: `${number(counted.unplaced)} buildings have no position; an address finds them.` };
  return [
    counted.withheld > 0 && make("p", {}, both(withheld)),
    counted.unplaced > 0 && make("p", {}, both(unplaced)),
    attribution && make("p", {}, both({ zh: "数据来源：", en: "Data: " }), attribution),
    make("p", {}, make("a", { href: "docs" }, both({ zh: "接口文档", en: "API docs" })), " · ", make("a", { href: "api/v1/openapi.json" }, "OpenAPI")),
  ];
}

/** @param {any} overview null where there is no district */
function emptyState(overview) {
  const title = overview ? { zh: `${overview.name}还没有生效方案`, en: `${overview.name} has no plan in force yet` } : { zh: "还没有导入任何区", en: "No district has been imported yet" };
  return [
    make("h2", {}, both(title)),
    make("p", {}, both({ zh: "导入台账并发布现有网格：", en: "Import a ledger and publish today's grids:" })),
    make("pre", {}, "gridgov import ledger FOLDER --district 340504:NAME --publish"),
    make("p", {}, both({ zh: "或者载入虚构的演示区：", en: "Or load the made-up demo district:" })),
    make("pre", {}, "gridgov demo"),
  ];
}

/**
 * Take "there is none" as an answer.
 * @param {unknown} error
 */
function missing(error) {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
}

/** @param {...import("./dom.js").Child} children */
function notice(...children) {
  const shown = byId("notice");
  shown.hidden = false;
  fill(shown, ...children);
}
