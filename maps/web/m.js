// @ts-check
// The page for phones, where the QR codes of grid sheets lead: whose grid am I in, and who serves it?

import { ask as post, feature, get } from "./api.js";
import { BaseMap } from "./base.js";
import { answerCards } from "./card.js";
import { both, byId, failure, fill, make } from "./dom.js";
import { pin, plainMap } from "./plain_map.js";
import { suggest } from "./suggest.js";

/** @typedef {import("./dom.js").Words} Words */
/** @typedef {{lon: number, lat: number, accuracy_m?: number}} Place */

const L = /** @type {any} */ (globalThis).L;
const PATIENCE_MS = 15_000;
const MOST_DRAWN = 3;
/** Degrees around a grid for which the base map is drawn: about 300 m. */
const AROUND = 0.003;
const GRID = { color: "#0b6e6e", weight: 4, fillOpacity: 0.12 };
const OTHER = { color: "#70767c", weight: 2, dashArray: "6 5", fillOpacity: 0.05 };

/** What a browser that cannot tell where it is has against it, by its number. */
/** @type {Record<number, Words>} */
const UNPLACED = {
  1: { zh: "没有得到位置许可。请在浏览器设置中允许，或输入地址。", en: "The position may not be asked for. Allow it in the browser's settings, or give an address." },
  2: { zh: "现在测不到位置。请到开阔处再试，或输入地址。", en: "The position cannot be found now. Try again in the open, or give an address." },
  3: { zh: "定位用时太长。请再试一次，或输入地址。", en: "Finding the position took too long. Try again, or give an address." },
};
const NO_PLACING = { zh: "此浏览器或此网址（须为 https）不能定位，请输入地址。", en: "This browser, or an address without https, cannot tell a position: give an address." };

/** @type {{map: any, drawn: any, base?: BaseMap} | undefined} */
let shown;
let turn = 0;

start().catch(fail);

async function start() {
  byId("here").addEventListener("click", here);
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const q = /** @type {HTMLInputElement} */ (byId("address")).value;
    answer(() => ask("resolve", { q })).catch(fail);
  });
  suggest();
  const query = new URLSearchParams(location.search);
  const code = query.get("grid");
  query.delete("grid");
  /** @type {HTMLAnchorElement} */ (byId("whole")).search = String(query);
  const overview = get("overview").then(head);
  if (code) await answer(() => byCode(code));
  await overview;
}

/** @param {any} overview */
function head({ name, made_up: madeUp, attribution }) {
  document.title = `我的网格 · ${name}`;
  fill(byId("title"), name, " ", both({ zh: "我的网格", en: "my grid" }));
  byId("made-up").hidden = !madeUp;
  fill(byId("credits"), attribution && both({ zh: "数据来源：", en: "Data: " }), attribution);
}

/** Ask where the phone is, then whose grid that is. */
function here() {
  if (!navigator.geolocation || !window.isSecureContext) {
    fill(byId("answer"), problem(NO_PLACING));
    return;
  }
  answer(async () => {
    const { coords } = await placed();
    // What the W3C's Geolocation calls accuracy holds the true place in 95 of 100 cases.
    const place = { lon: coords.longitude, lat: coords.latitude, accuracy_m: Math.max(coords.accuracy, 1) };
    return ask("locate", { ...place, accuracy_level: "95", source: "device", crs: "wgs84" }, place);
  }).catch((error) => (error instanceof Error ? fail(error) : fill(byId("answer"), problem(UNPLACED[error.code] ?? UNPLACED[2]))));
}

/** @returns {Promise<GeolocationPosition>} */
function placed() {
  const wish = { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 0 };
  return new Promise((found, failed) => navigator.geolocation.getCurrentPosition(found, failed, wish));
}

/**
 * @param {"locate" | "resolve"} path
 * @param {any} query
 * @param {Place} [place]
 */
async function ask(path, query, place) {
  const told = await post(path, { ...query, include: "sites" });
  const codes = [told.grid, ...told.alternatives.map((/** @type {any} */ other) => other.grid)].filter(Boolean).map(({ code }) => code);
  return { cards: answerCards(told, { steps: false }), codes, first: told.grid?.code, place: place ?? (told.building?.lon != null ? told.building : undefined) };
}

/**
 * What a code, as it stands on a sheet, is today: the grid it was may have become others.
 * @param {string} code
 */
async function byCode(code) {
  const named = await get(`grids/${encodeURIComponent(code)}`);
  const codes = named.grids.map((/** @type {any} */ grid) => grid.code);
  const found = codes.length === 1 ? await ask("resolve", { q: codes[0] }) : { cards: [], codes, first: undefined, place: undefined };
  const since = named.until?.slice(0, 10); // in the district's time, which the server writes
  const gone = named.status === "retired" && make("p", { class: "status" }, both({ zh: `网格 ${code} 已于 ${since} 撤销，现为：`, en: `Grid ${code} ended on ${since}; today it is:` }));
  const several = codes.length > 1 && make("table", { class: "list" }, ...named.grids.map(heir));
  const nothing = !codes.length && problem({ zh: `网格 ${code} 现不在任何方案中。`, en: `Grid ${code} is in no plan now.` });
  return { ...found, cards: [gone, nothing, several, ...found.cards].filter(Boolean) };
}

/** @param {any} grid that has a share of what a code was */
function heir({ code, community, share }) {
  const link = make("a", { href: `m?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(location.search)), grid: code })}` }, code);
  return make("tr", {}, make("td", {}, link, make("br"), make("span", { class: "muted" }, community)), make("td", { class: "number" }, `${Math.round(100 * share)}%`));
}

/**
 * Show what is found; of two questions the later one counts.
 * @param {() => Promise<{cards: any[], codes: string[], first?: string, place?: Place}>} find
 */
async function answer(find) {
  const mine = ++turn;
  const said = byId("answer");
  said.setAttribute("aria-busy", "true");
  try {
    const found = await find();
    if (mine !== turn) return;
    fill(said, ...found.cards);
    const shapes = await Promise.all(found.codes.slice(0, MOST_DRAWN).map((code) => feature("grids", code)));
    if (mine === turn) await draw(shapes, found.first, found.place);
  } catch (error) {
    if (mine !== turn) return; // what was asked since is answered
    byId("stage").hidden = true;
    throw error;
  } finally {
    if (mine === turn) said.removeAttribute("aria-busy");
  }
}

/**
 * @param {any[]} shapes GeoJSON of the grids that may be meant
 * @param {string | undefined} first code of the one that is
 * @param {Place | undefined} place
 */
async function draw(shapes, first, place) {
  byId("stage").hidden = !shapes.length && !place;
  if (byId("stage").hidden) return;
  shown ??= { map: plainMap(byId("map"), { minZoom: 8 }), drawn: undefined };
  const { map } = shown;
  map.invalidateSize(); // it may have been hidden
  shown.drawn?.remove();
  await shown.base?.show(false);
  const drawn = (shown.drawn = L.featureGroup());
  for (const one of shapes) L.geoJSON(one, { style: one.id === first ? GRID : OTHER, interactive: false }).addTo(drawn);
  if (place) {
    if (place.accuracy_m) L.circle([place.lat, place.lon], { radius: place.accuracy_m, weight: 1, color: "#111", interactive: false }).addTo(drawn);
    pin(place).addTo(drawn);
  }
  const box = bounds(shapes, place);
  map.fitBounds(box, { padding: [16, 16], maxZoom: 17, animate: false });
  drawn.addTo(map);
  const bbox = [box.getWest() - AROUND, box.getSouth() - AROUND, box.getEast() + AROUND, box.getNorth() + AROUND];
  shown.base = new BaseMap(map, { bbox: bbox.map((each) => each.toFixed(5)).join() });
  await shown.base.show(true);
  byId("map").dataset.ready = "";
}

/**
 * @param {any[]} shapes
 * @param {Place | undefined} place
 */
function bounds(shapes, place) {
  const box = L.geoJSON(shapes).getBounds();
  return place ? box.extend(L.latLng(place.lat, place.lon).toBounds(2 * (place.accuracy_m ?? 0))) : box;
}

/** @param {unknown} error */
function fail(error) {
  fill(byId("answer"), make("p", { class: "status problem" }, ...failure(error)));
}

/** @param {Words} words */
function problem(words) {
  return make("p", { class: "status problem" }, both(words));
}
