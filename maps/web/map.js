// @ts-check
// The district's map: grids on a canvas, everything else over them.

import { colour, neighbours } from "./colouring.js";
import { both, make } from "./dom.js";
import { canvasFill, deviationOf } from "./legend.js";
import { table } from "./card.js";
import { pin, plainMap } from "./plain_map.js";

/** @typedef {import("./legend.js").Deviation} Deviation */

const L = /** @type {any} */ (globalThis).L;
const FAR_BELOW = 13.25;
const OUTLINE = { color: "#70767c", weight: 0.9 };

/** Looks of the lines and areas over the grids; barriers by their kind. */
/** @type {Record<string, any>} */
const STYLES = {
  communities: { color: "#2b2f33", weight: 2.2, fill: false, interactive: false },
  streets: { color: "#6f757b", weight: 1.6, opacity: 0.6 },
  river: { color: "#4b86b4", weight: 4, fillOpacity: 0.35 },
  railway: { color: "#6b4fa0", weight: 3, dashArray: "7 5" },
  trunk_road: { color: "#8a6d3b", weight: 4 },
  wall: { color: "#6b6f74", weight: 2, dashArray: "2 3" },
  rider_communities: { color: "#0b6e6e", weight: 2.5, dashArray: "1 5", fillOpacity: 0.12 },
};

export class DistrictMap {
  /**
   * @param {HTMLElement} element
   * @param {import("./legend.js").Legend} legend
   * @param {Deviation[]} classes
   * @param {(lon: number, lat: number) => void} ask called with the place that was clicked
   */
  constructor(element, legend, classes, ask) {
    this.legend = legend;
    this.classes = classes;
    this.fills = new Map(classes.map((shown) => [shown.name, canvasFill(shown)]));
    /** @type {Map<string, any>} */
    this.layers = new Map();
    /** @type {number[] | undefined} */
    this.numbers = undefined; // of each grid's colour among the six, once asked for
    this.map = plainMap(element, { preferCanvas: true, minZoom: 8 });
    this.map.createPane("over").style.zIndex = "450";
    this.over = L.canvas({ pane: "over" });
    this.map.getPane("over").style.pointerEvents = "none";
    this.map.on("zoomend", () => element.classList.toggle("far", this.map.getZoom() < FAR_BELOW));
    this.map.on("click", (/** @type {any} */ event) => ask(event.latlng.lng, event.latlng.lat));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== element) return;
      const { lng, lat } = this.map.getCenter();
      ask(lng, lat);
    });
  }

  /** @param {string} owners whose data are shown; may be empty */
  credit(owners) {
    if (owners) this.map.attributionControl.addAttribution(make("span", {}, owners).innerHTML);
  }

  /**
   * @param {any} collection GeoJSON of the grids
   * @param {"deviation" | "neighbours"} colouring
   */
  showGrids(collection, colouring) {
    this.grids = L.geoJSON(collection, { style: OUTLINE });
    if (window.matchMedia("(hover: hover)").matches) {
      this.grids.bindTooltip((/** @type {any} */ layer) => gridTip(layer.feature.properties), { sticky: true });
    }
    this.paint(colouring);
    this.layers.set("grids", this.grids.addTo(this.map));
    if (collection.features.length) this.map.fitBounds(this.grids.getBounds(), { padding: [12, 12] });
  }

  /** @param {"deviation" | "neighbours"} colouring */
  paint(colouring) {
    const features = this.grids.getLayers().map((/** @type {any} */ layer) => layer.feature);
    const colours = colouring === "neighbours" ? this.sixColours(features) : null;
    this.grids.getLayers().forEach((/** @type {any} */ layer, /** @type {number} */ number) => {
      const shown = deviationOf(layer.feature.properties.households, this.classes);
      layer.setStyle({ ...OUTLINE, fillOpacity: 1, fillColor: colours ? colours[number] : this.fills.get(shown.name) });
    });
  }

  /** @param {any[]} features */
  sixColours(features) {
    const { grid_colours: palette } = this.legend;
    this.numbers ??= colour(neighbours(features.map(({ geometry }) => geometry)), palette.length);
    return this.numbers.map((number) => palette[number]);
  }

  /**
   * @param {string} name of a layer other than the grids
   * @param {any} collection its GeoJSON
   */
  add(name, collection) {
    const layer = L.geoJSON(collection, {
      style: (/** @type {any} */ { properties }) => STYLES[name === "barriers" ? properties.kind : name],
      renderer: this.over,
      interactive: false,
      pointToLayer: (/** @type {any} */ feature, /** @type {any} */ place) => this.mark(name, feature.properties, place),
    });
    if (name === "communities") for (const shape of layer.getLayers()) layer.addLayer(communityLabel(shape));
    this.layers.set(name, layer.addTo(this.map));
  }

  /**
   * @param {string} name
   * @param {boolean} shown
   */
  toggle(name, shown) {
    const layer = this.layers.get(name);
    if (shown) layer.addTo(this.map);
    else layer.remove();
  }

  /**
   * Show the place asked about and the grid it is in.
   * @param {{lon: number, lat: number} | null} place
   * @param {string | null} code
   */
  point(place, code) {
    this.answer?.remove();
    this.answer = L.layerGroup().addTo(this.map);
    const found = this.grids.getLayers().find((/** @type {any} */ layer) => layer.feature.properties.code === code);
    if (found) L.geoJSON(found.feature, { renderer: this.over, interactive: false, style: { color: "#111", weight: 4, fill: false } }).addTo(this.answer);
    if (place) {
      pin(place).addTo(this.answer);
      this.map.panInside([place.lat, place.lon], { padding: [40, 40] });
    } else if (found) this.map.panInside(found.getBounds().getCenter(), { padding: [40, 40] });
  }

  /**
   * @param {string} name
   * @param {any} properties
   * @param {any} place
   */
  mark(name, properties, place) {
    const subject = { facilities: "facility", rider_points: "rider_point" }[name];
    const entry = subject ? this.legend.words[subject][properties.kind] : undefined;
    const sign = name === "sites" ? "党" : (entry?.sign ?? "●");
    const looks = { sites: "site", rider_points: "rider" }[name] ?? "facility";
    const icon = L.divIcon({ html: make("i", {}, sign), className: `map-mark ${looks} ${properties.state ?? ""}`, iconSize: [18, 18] });
    const state = this.legend.words.state[properties.state];
    const tip = make("div", {}, make("strong", {}, properties.name ?? (entry ? both(entry) : properties.kind)), make("br"));
    if (state) tip.append(both(state), " ");
    tip.append(properties.hours ?? properties.keeper ?? "");
    return L.marker(place, { icon, alt: properties.name ?? "" }).bindTooltip(tip);
  }
}

/** @param {any} properties of a grid */
function gridTip(properties) {
  return table([
    [{ zh: "网格", en: "Grid" }, properties.code],
    [{ zh: "台账编码", en: "Ledger's code" }, properties.external_code],
    [{ zh: "社区", en: "Community" }, properties.community],
    [{ zh: "户数", en: "Households" }, properties.households ?? both({ zh: "不公开", en: "withheld" })],
    [{ zh: "楼栋", en: "Buildings" }, properties.buildings],
  ]);
}

/** @param {any} shape of a community */
function communityLabel(shape) {
  const { name, status } = shape.feature.properties;
  const note = status === "preparatory" && make("i", {}, both({ zh: "筹备", en: "preparatory" }));
  const icon = L.divIcon({ html: make("b", {}, name, note || null), className: "map-label", iconSize: [18, 18] });
  return L.marker(shape.getBounds().getCenter(), { icon, interactive: false, keyboard: false });
}
