// @ts-check
// Names on the map, drawn on one canvas where there is room: along lines, in areas, at points.

const L = /** @type {any} */ (globalThis).L;

/**
 * @typedef {{text: string, geometry: any, look: string, from: number, first: number}} Name
 * `from` is the level it is written from; of two that meet, the one with the lower `first` is.
 * @typedef {[number, number]} Spot pixels from the map's upper left corner
 * @typedef {[number, number, number, number]} Box left, top, right and bottom, pixels
 * @typedef {Name & {parts: any[], bounds: any}} Kept with its shape as places
 */

const FONT = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';
/** @type {Record<string, {size: number, color: string, style?: string, dot?: boolean}>} */
const LOOKS = {
  street: { size: 11, color: "#4d545b" },
  water: { size: 11.5, color: "#3d6e8f", style: "italic" },
  green: { size: 11, color: "#47703a" },
  compound: { size: 11.5, color: "#24282c" },
  gate: { size: 10.5, color: "#0b5c5c", dot: true },
};
const PADDING = 0.15; // of the view, drawn beyond its edges for what a drag brings in
const APART = 320; // pixels between two of one name
const BEND = 0.5; // radians from one letter to the next, at most
const HAN = /\p{Script=Han}/u;

export const NameLayer = L.Layer.extend({
  initialize() {
    /** @type {Kept[]} */
    this.names = [];
  },

  /** @param {Name[]} names */
  add(names) {
    for (const name of names) {
      const parts = partsOf(name.geometry).map((part) => L.GeoJSON.coordsToLatLngs(part, 0));
      this.names.push({ ...name, parts, bounds: L.latLngBounds(parts.flat()) });
    }
    this.names.sort((/** @type {Kept} */ a, /** @type {Kept} */ b) => a.first - b.first);
    this.ask();
  },

  onAdd(/** @type {any} */ map) {
    this.map = map;
    const pane = map.getPane("names") ?? map.createPane("names");
    pane.style.zIndex = "460";
    pane.style.pointerEvents = "none";
    this.canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", pane);
    map.on("moveend zoomend resize layeradd layerremove", this.ask, this);
    this.ask();
  },

  onRemove(/** @type {any} */ map) {
    map.off("moveend zoomend resize layeradd layerremove", this.ask, this);
    cancelAnimationFrame(this.asked);
    this.asked = undefined;
    this.canvas.remove();
    this.map = undefined;
  },

  ask() {
    if (this.map) this.asked ??= requestAnimationFrame(() => this.draw());
  },

  draw() {
    this.asked = undefined;
    const size = this.map.getSize();
    const edge = size.multiplyBy(PADDING).round();
    const whole = size.add(edge.multiplyBy(2));
    const ratio = Math.min(window.devicePixelRatio, 2);
    L.DomUtil.setPosition(this.canvas, this.map.containerPointToLayerPoint(edge.multiplyBy(-1)));
    Object.assign(this.canvas, { width: whole.x * ratio, height: whole.y * ratio });
    Object.assign(this.canvas.style, { width: `${whole.x}px`, height: `${whole.y}px` });
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, edge.x * ratio, edge.y * ratio);
    Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 3, strokeStyle: "rgba(255, 255, 255, 0.9)" });
    this.written = this.write(context, [-edge.x, -edge.y, size.x + edge.x, size.y + edge.y]);
  },

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Box} view
   * @returns {number} how many names there was room for
   */
  write(context, view) {
    const zoom = this.map.getZoom();
    const bounds = L.latLngBounds(this.map.containerPointToLatLng([view[0], view[1]]), this.map.containerPointToLatLng([view[2], view[3]]));
    const taken = marks(this.map.getContainer());
    /** @type {Map<string, Spot[]>} */
    const places = new Map();
    let written = 0;
    for (const name of this.names) {
      if (zoom < name.from || !bounds.intersects(name.bounds)) continue;
      const look = LOOKS[name.look];
      context.font = `${look.style ?? ""} ${look.size}px ${FONT}`;
      const before = places.get(name.text) ?? [];
      for (const letters of this.placed(context, name, look, view)) {
        const middle = letters[letters.length >> 1].at;
        if (before.some((spot) => Math.hypot(spot[0] - middle[0], spot[1] - middle[1]) < APART)) continue;
        const boxes = letters.map(({ at: [x, y], reach }) => /** @type {Box} */ ([x - reach, y - look.size * 0.7, x + reach, y + look.size * 0.7]));
        if (boxes.some((box) => taken.some((other) => meet(box, other)))) continue;
        taken.push(...boxes);
        before.push(middle);
        places.set(name.text, before);
        spell(context, letters, look);
        written += 1;
      }
    }
    return written;
  },

  /**
   * Ways to write a name, the best first: its letters and where each stands.
   * @param {CanvasRenderingContext2D} context
   * @param {Kept} name
   * @param {{size: number, dot?: boolean}} look
   * @param {Box} view
   * @returns {Generator<Letter[]>}
   */
  *placed(context, name, look, view) {
    const width = context.measureText(name.text).width;
    const flat = (/** @type {any} */ place) => {
      const { x, y } = this.map.latLngToContainerPoint(place);
      return /** @type {Spot} */ ([x, y]);
    };
    if (name.geometry.type.endsWith("LineString")) {
      for (const part of name.parts) yield* along(context, name.text, part.map(flat), width, view);
      return;
    }
    const [low, high] = [flat(name.bounds.getSouthWest()), flat(name.bounds.getNorthEast())];
    const point = name.geometry.type === "Point";
    if (!point && high[0] - low[0] < width * 0.8) return;
    const [x, y] = flat(point ? name.parts[0][0] : inside(name.parts[0]));
    yield [{ text: name.text, at: look.dot ? [x, y - look.size] : [x, y], turn: 0, reach: width / 2 + 2 }];
  },
});

/** @typedef {{text: string, at: Spot, turn: number, reach: number}} Letter */

/**
 * Lines of coordinates: of a point its one place, of areas their outer rings, the largest first.
 * @param {any} geometry
 * @returns {any[][]}
 */
function partsOf({ type, coordinates }) {
  if (type === "Point") return [[coordinates]];
  if (type === "LineString") return [coordinates];
  if (type === "Polygon") return [coordinates[0]];
  if (type === "MultiPolygon") return coordinates.map((/** @type {any} */ rings) => rings[0]).sort((/** @type {any} */ a, /** @type {any} */ b) => area(b) - area(a));
  return coordinates;
}

/** @param {number[][]} ring */
function area(ring) {
  let twice = 0;
  for (let i = 1; i < ring.length; i++) twice += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
  return Math.abs(twice);
}

/**
 * A place inside a ring: in the middle of the widest stretch at half its height.
 * @param {any[]} ring
 */
function inside(ring) {
  const bounds = L.latLngBounds(ring);
  const lat = (bounds.getSouth() + bounds.getNorth()) / 2;
  const cuts = [];
  for (let i = 1; i < ring.length; i++) {
    const [a, b] = [ring[i - 1], ring[i]];
    if (a.lat > lat !== b.lat > lat) cuts.push(a.lng + ((lat - a.lat) / (b.lat - a.lat)) * (b.lng - a.lng));
  }
  cuts.sort((a, b) => a - b);
  let widest = 0;
  for (let i = 2; i < cuts.length; i += 2) if (cuts[i + 1] - cuts[i] > cuts[widest + 1] - cuts[widest]) widest = i;
  return L.latLng(lat, (cuts[widest] + cuts[widest + 1]) / 2);
}

/**
 * Ways to write a name along a line, from its middle outwards.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {Spot[]} line
 * @param {number} width of the text
 * @param {Box} view
 * @returns {Generator<Letter[]>}
 */
function* along(context, text, line, width, view) {
  const steps = [0];
  for (let i = 1; i < line.length; i++) steps.push(steps[i - 1] + Math.hypot(line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]));
  const length = steps[steps.length - 1];
  const count = Math.max(1, Math.floor(length / APART));
  const shift = length / (2 * count);
  const outwards = [...Array(count).keys()].sort((a, b) => Math.abs(2 * a + 1 - count) - Math.abs(2 * b + 1 - count));
  for (const number of outwards) {
    const middle = shift * (1 + 2 * number);
    for (const start of [middle - width / 2, middle - width * 1.1, middle + width * 0.1]) {
      if (start < 0 || start + width > length) continue;
      const [x, y] = walk(line, steps, start + width / 2).at;
      if (x < view[0] || y < view[1] || x > view[2] || y > view[3]) continue;
      const letters = lettered(context, text, line, steps, start, width);
      if (letters) {
        yield letters;
        break;
      }
    }
  }
}

/**
 * @param {Spot[]} line
 * @param {number[]} steps
 * @param {number} distance
 * @returns {{at: Spot, turn: number}}
 */
function walk(line, steps, distance) {
  let i = 1;
  while (i < steps.length - 1 && steps[i] < distance) i += 1;
  const [[x, y], [toX, toY]] = [line[i - 1], line[i]];
  const share = (distance - steps[i - 1]) / (steps[i] - steps[i - 1] || 1);
  return { at: [x + share * (toX - x), y + share * (toY - y)], turn: Math.atan2(toY - y, toX - x) };
}

/**
 * The letters of a name from a distance on, read from left to right, and Chinese on steep lines from top to bottom.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {Spot[]} line
 * @param {number[]} steps
 * @param {number} start
 * @param {number} width
 * @returns {Letter[] | null} null where the line bends too much
 */
function lettered(context, text, line, steps, start, width) {
  const [first, last] = [walk(line, steps, start).at, walk(line, steps, start + width).at];
  const slope = Math.atan2(last[1] - first[1], last[0] - first[0]);
  const upright = HAN.test(text) && Math.abs(Math.sin(slope)) > 0.8;
  const backwards = upright ? Math.sin(slope) < 0 : Math.cos(slope) < 0;
  const letters = [];
  let passed = 0;
  /** @type {number | undefined} */
  let before;
  for (const letter of text) {
    const wide = context.measureText(letter).width;
    const distance = passed + wide / 2;
    const { at, turn } = walk(line, steps, backwards ? start + width - distance : start + distance);
    if (before !== undefined && Math.abs(Math.atan2(Math.sin(turn - before), Math.cos(turn - before))) > BEND) return null;
    before = turn;
    passed += wide;
    letters.push({ text: letter, at, turn: upright ? 0 : backwards ? turn + Math.PI : turn, reach: wide / 2 + 1 });
  }
  return letters;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Letter[]} letters
 * @param {{size: number, color: string, dot?: boolean}} look
 */
function spell(context, letters, { size, color, dot }) {
  context.fillStyle = color;
  for (const paint of /** @type {const} */ (["strokeText", "fillText"])) {
    for (const { text, at, turn } of letters) {
      context.save();
      context.translate(...at);
      context.rotate(turn);
      context[paint](text, 0, 0);
      context.restore();
    }
  }
  if (!dot) return;
  context.beginPath();
  context.arc(letters[0].at[0], letters[0].at[1] + size, 2.2, 0, 2 * Math.PI);
  context.fill();
}

/**
 * What names keep clear of: labels and marks of the layers above.
 * @param {HTMLElement} container
 * @returns {Box[]}
 */
function marks(container) {
  const { left, top } = container.getBoundingClientRect();
  return [...container.querySelectorAll(".map-label b, .map-mark")].map((mark) => {
    const box = mark.getBoundingClientRect();
    return [box.left - left, box.top - top, box.right - left, box.bottom - top];
  });
}

/**
 * @param {Box} a
 * @param {Box} b
 */
function meet(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
