// @ts-check
// The base map of our own, below the grids: water, green, rail and streets, with their names where there is room.

import { get } from "./api.js";
import { NameLayer } from "./names.js";

const L = /** @type {any} */ (globalThis).L;
const ALL = { limit: 20_000 };

/** How areas and tracks are drawn. */
const LOOKS = {
  green: { stroke: false, fillColor: "#d9e8cf", fillOpacity: 1 },
  water: { color: "#b9d3e4", fillColor: "#c6dcea", fillOpacity: 1, weight: 1 },
  rail: { color: "#8f959b", weight: 1.6, dashArray: "9 4" },
};
/** Of a river that is known by its middle line alone, pixels wide at level 12.75; smaller waters have a third. */
const RIVER = 3;

/** Streets by how much they carry, in the words of ledgers and of OpenStreetMap; all others are small. */
const RANKS = new Map(
  /** @type {[string, number][]} */ ([
    ...["motorway", "trunk", "primary", "trunk_road", "motorway_link", "trunk_link", "primary_link"].map((kind) => [kind, 0]),
    ...["secondary", "tertiary", "road", "secondary_link", "tertiary_link"].map((kind) => [kind, 1]),
  ]),
);

/** Of each rank of street: colour, the level it is shown from, its width there, and the level its name is. */
const STREETS = [
  { color: "#a3a9af", from: 8, width: 1.4, named: 12.5 },
  { color: "#b0b5ba", from: 11, width: 1, named: 14 },
  { color: "#b9bec3", from: 12.75, width: 0.7, named: 15.25 },
];

/** @param {any} properties */
const rank = (properties) => RANKS.get(properties.kind) ?? 2;

export class BaseMap {
  /**
   * @param {any} map a Leaflet map
   * @param {Record<string, string | number>} [near] which features are read, by bbox: all by default
   */
  constructor(map, near = {}) {
    this.map = map;
    this.query = { ...ALL, ...near };
    (map.getPane("base") ?? map.createPane("base")).style.zIndex = "250";
    map.getPane("base").style.pointerEvents = "none";
    this.renderer = L.canvas({ pane: "base" });
    this.names = new NameLayer();
    this.group = L.layerGroup();
    this.shown = false;
    map.on("zoomend", () => this.restyle());
  }

  /**
   * @param {boolean} shown
   * @returns {Promise<void>}
   */
  async show(shown) {
    this.shown = shown;
    if (shown) await (this.ready ??= this.load());
    if (this.shown !== shown) return; // switched again meanwhile
    for (const layer of [this.group, this.names]) shown ? layer.addTo(this.map) : layer.remove();
    this.map.getContainer().classList.toggle("with-base", shown);
  }

  async load() {
    const named = ["green", "water", "rail", "streets", "labels"];
    try {
      const read = await Promise.all(named.map((name) => get(`layers/${name}.geojson`, this.query)));
      named.forEach((name, number) => this.add(name, read[number]));
    } catch (error) {
      this.ready = undefined; // the next switch asks again
      throw error;
    }
  }

  /**
   * @param {string} name
   * @param {any} collection
   */
  add(name, collection) {
    this.names.add(collection.features.map((/** @type {any} */ feature) => wordOf(name, feature)).filter(Boolean));
    if (name === "labels") return;
    const style = (/** @type {any} */ feature) => this.look(name, feature);
    this.group.addLayer(L.geoJSON(collection, { style, renderer: this.renderer, interactive: false, smoothFactor: 1.5, name }));
  }

  /**
   * @param {string} name
   * @param {any} feature
   */
  look(name, { properties, geometry }) {
    const zoom = this.map.getZoom() ?? 12;
    const grown = 1.55 ** Math.max(zoom - 12.75, -2);
    if (name === "streets") {
      const { color, from, width } = STREETS[rank(properties)];
      return { color, weight: width * grown, stroke: zoom >= from, lineCap: "round" };
    }
    const look = LOOKS[/** @type {keyof typeof LOOKS} */ (name)];
    if (!geometry.type.endsWith("LineString")) return look;
    const weight = name === "water" ? (properties.kind === "river" ? RIVER : RIVER / 3) * grown : look.weight;
    return { ...look, weight, fill: false };
  }

  restyle() {
    this.group.eachLayer((/** @type {any} */ layer) => layer.setStyle((/** @type {any} */ feature) => this.look(layer.options.name, feature)));
  }
}

/** Names that are written of a layer's features. */
const WORDS = {
  streets: (/** @type {any} */ { kind }) => ({ look: "street", from: STREETS[rank({ kind })].named, first: 20 + rank({ kind }) }),
  water: (/** @type {any} */ { kind }) => (kind === "stream" ? { look: "water", from: 15, first: 30 } : { look: "water", from: 12, first: 10 }),
  green: () => ({ look: "green", from: 13.5, first: 12 }),
  rail: () => ({ look: "street", from: 14, first: 25 }),
  labels: (/** @type {any} */ { kind }) => (kind === "compound" ? { look: "compound", from: 15, first: 5 } : { look: "gate", from: 16.5, first: 40 }),
};

/**
 * @param {string} layer
 * @param {any} feature
 * @returns {import("./names.js").Name | null}
 */
function wordOf(layer, { properties, geometry }) {
  if (!properties.name) return null;
  return { text: properties.name, geometry, ...WORDS[/** @type {keyof typeof WORDS} */ (layer)](properties) };
}
