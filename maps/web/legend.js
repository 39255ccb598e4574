// @ts-check
// What colours mean: legend.json, which the folium pages read too (maps/legend.py has the same rules).

/** @typedef {import("./dom.js").Words} Words */
/** @typedef {{name: string, zh: string, en: string, fill: string, ink: string | null, pattern: "dots" | "stripes" | null, gap: number}} Paint */
/** @typedef {Paint & {low: number | null, high: number | null}} Deviation */
/** @typedef {{deviation: (Paint & {from: number | null, to: number | null})[], withheld: Paint, grid_colours: string[], words: Record<string, Record<string, Words & {sign?: string}>>}} Legend */

/** @returns {Promise<Legend>} */
export async function load() {
  const response = await fetch(new URL("legend.json", import.meta.url));
  return response.json();
}

/**
 * Classes of deviation from few households to many, then the one of withheld counts.
 * @param {Legend} legend
 * @param {number} target
 * @param {number} tolerancePercent
 * @returns {Deviation[]}
 */
export function deviations(legend, target, tolerancePercent) {
  const step = (target * tolerancePercent) / 100;
  /** @param {number | null} multiple */
  const first = (multiple) => {
    if (multiple === null) return null;
    const bound = Number((target + multiple * step).toFixed(6));
    return multiple < 0 ? Math.ceil(bound) : Math.floor(bound) + 1;
  };
  const classes = legend.deviation.map(({ from, to, ...paint }) => {
    const after = first(to);
    return { ...paint, low: first(from), high: after === null ? null : after - 1 };
  });
  const possible = classes.filter(({ high }) => high === null || high >= 10);
  return [...possible, { ...legend.withheld, low: null, high: null }];
}

/**
 * @param {number | null} households null where withheld
 * @param {Deviation[]} classes
 * @returns {Deviation}
 */
export function deviationOf(households, classes) {
  const withheld = classes[classes.length - 1];
  if (households === null) return withheld;
  return classes.find(({ high }) => high === null || households <= high) ?? withheld;
}

/**
 * Households of a class, as digits.
 * @param {Deviation} shown
 * @returns {string}
 */
export function range({ low, high }) {
  if (low === null) return high === null ? "" : `≤ ${high}`;
  return high === null ? `≥ ${low}` : `${low}–${high}`;
}

/**
 * A class as a fill of a canvas, patterned so that it is told without seeing colours.
 * @param {Paint} paint
 * @returns {CanvasPattern | string}
 */
export function canvasFill({ fill, ink, pattern, gap }) {
  const tile = document.createElement("canvas");
  const ratio = 4; // drawn finer than shown, for sharp screens and for stripes that meet at the edges
  const size = pattern === "stripes" ? Math.round(gap * Math.SQRT2) : gap;
  tile.width = tile.height = size * ratio;
  const context = tile.getContext("2d");
  if (!context || !pattern || !ink) return fill;
  context.scale(ratio, ratio);
  context.fillStyle = fill;
  context.fillRect(0, 0, size, size);
  if (pattern === "dots") {
    context.fillStyle = ink;
    context.beginPath();
    context.arc(size / 2, size / 2, 1.1, 0, 2 * Math.PI);
    context.fill();
  } else {
    context.strokeStyle = ink;
    context.lineWidth = 1.4;
    for (const shift of [-size, 0, size]) {
      context.beginPath();
      context.moveTo(shift - 1, size + 1);
      context.lineTo(shift + size + 1, -1);
      context.stroke();
    }
  }
  const repeated = context.createPattern(tile, "repeat");
  repeated?.setTransform(new DOMMatrix().scale(1 / ratio));
  return repeated ?? fill;
}

/**
 * The same class as a small picture for the legend.
 * @param {Paint} paint
 * @returns {HTMLCanvasElement}
 */
export function swatch(paint) {
  const picture = document.createElement("canvas");
  const ratio = 2;
  picture.className = "swatch";
  picture.width = 26 * ratio;
  picture.height = 16 * ratio;
  const context = picture.getContext("2d");
  if (context) {
    context.scale(ratio, ratio);
    context.fillStyle = canvasFill(paint);
    context.fillRect(0, 0, picture.width, picture.height);
  }
  return picture;
}
