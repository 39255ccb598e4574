// @ts-check
// Map colouring: grids that border each other get different colours.

/** @typedef {[number, number]} Position longitude and latitude, degrees */
/** @typedef {{type: "Polygon", coordinates: Position[][]} | {type: "MultiPolygon", coordinates: Position[][][]}} Area */

const STEP_M = 8;
const MOST_SAMPLES = 100_000;

/**
 * Find areas that run alongside each other within about 8 m, and for how long.
 *
 * Borders are sampled, because the two sides of one need not have the same vertices.
 * @param {Area[]} areas
 * @returns {Map<number, number>[]} for each area its neighbours, each with the samples they share
 */
export function neighbours(areas) {
  const rings = areas.map(({ type, coordinates }) => (type === "Polygon" ? coordinates : coordinates.flat()));
  const latitude = rings[0]?.[0][0][1] ?? 0;
  const lines = rings.map((each) => each.map((ring) => metric(ring, latitude)));
  const total = lines.flat().reduce((sum, ring) => sum + length(ring), 0);
  const step = Math.max(STEP_M, total / MOST_SAMPLES);
  /** @type {Map<string, Set<number>>} */
  const owners = new Map();
  lines.forEach((line, area) => {
    for (const [x, y] of line.flatMap((ring) => samples(ring, step))) {
      const cell = `${Math.floor(x / step)},${Math.floor(y / step)}`;
      const present = owners.get(cell);
      if (present) present.add(area);
      else owners.set(cell, new Set([area]));
    }
  });
  return shared(owners, areas.length);
}

/**
 * Give each area one of some colours, so that neighbours differ wherever that is possible.
 *
 * Areas are taken in smallest-last order (Matula and Beck, 1983), with which six colours always do for areas in one
 * piece each. For areas in several pieces they may not: then the shortest borders are between equal colours.
 * @param {Map<number, number>[]} adjacent as from `neighbours`
 * @param {number} colours
 * @returns {number[]} number of each area's colour
 */
export function colour(adjacent, colours) {
  /** @type {number[]} */
  const given = new Array(adjacent.length).fill(-1);
  const used = new Array(colours).fill(0);
  for (const area of smallestLast(adjacent)) {
    const conflict = new Array(colours).fill(0);
    for (const [other, border] of adjacent[area]) {
      if (given[other] >= 0) conflict[given[other]] += border;
    }
    let best = 0;
    for (let each = 1; each < colours; each++) {
      if (conflict[each] < conflict[best] || (conflict[each] === conflict[best] && used[each] < used[best])) best = each;
    }
    given[area] = best;
    used[best]++;
  }
  return given;
}

/**
 * @param {Map<number, number>[]} adjacent
 * @returns {number[]}
 */
function smallestLast(adjacent) {
  const degree = adjacent.map((others) => others.size);
  const left = new Set(adjacent.keys());
  const order = [];
  while (left.size) {
    let next = -1;
    for (const area of left) if (next < 0 || degree[area] < degree[next]) next = area;
    left.delete(next);
    order.push(next);
    for (const other of adjacent[next].keys()) degree[other]--;
  }
  return order.reverse();
}

/**
 * @param {Map<string, Set<number>>} owners
 * @param {number} count
 * @returns {Map<number, number>[]}
 */
function shared(owners, count) {
  /** @type {Map<number, number>[]} */
  const found = Array.from({ length: count }, () => new Map());
  for (const [cell, present] of owners) {
    const [x, y] = cell.split(",").map(Number);
    for (const [right, up] of [[0, 0], [1, 0], [0, 1], [1, 1], [1, -1]]) {
      for (const other of owners.get(`${x + right},${y + up}`) ?? []) {
        for (const area of present) {
          if (area === other) continue;
          found[area].set(other, (found[area].get(other) ?? 0) + 1);
          found[other].set(area, (found[other].get(area) ?? 0) + 1);
        }
      }
    }
  }
  return found;
}

/**
 * @param {Position[]} ring
 * @param {number} latitude one for all rings
 * @returns {Position[]} the ring in metres, true enough for short lengths
 */
function metric(ring, latitude) {
  const east = 111_320 * Math.cos((latitude * Math.PI) / 180);
  return ring.map(([lon, lat]) => [lon * east, lat * 110_574]);
}

/** @param {Position[]} ring */
function length(ring) {
  let sum = 0;
  for (let i = 1; i < ring.length; i++) sum += Math.hypot(ring[i][0] - ring[i - 1][0], ring[i][1] - ring[i - 1][1]);
  return sum;
}

/**
 * @param {Position[]} ring
 * @param {number} step
 * @returns {Position[]} points on it, at most a step apart
 */
function samples(ring, step) {
  /** @type {Position[]} */
  const points = [];
  for (let i = 1; i < ring.length; i++) {
    const [[x, y], [toX, toY]] = [ring[i - 1], ring[i]];
    const parts = Math.max(1, Math.ceil(Math.hypot(toX - x, toY - y) / step));
    for (let part = 0; part < parts; part++) points.push([x + ((toX - x) * part) / parts, y + ((toY - y) * part) / parts]);
  }
  return points;
}
