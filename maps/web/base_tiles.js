// @ts-check
// The optional base map: pictures an administrator has set; those true in GCJ-02 are shifted to where they belong.

import { get } from "./api.js";
import { make } from "./dom.js";

const L = /** @type {any} */ (globalThis).L;

const AXIS = 6378245; // of Krassovsky's ellipsoid, which GCJ-02 is computed on
const ECCENTRICITY_2 = 0.00669342162296594323;
const CHINA = { west: 72.004, south: 0.8293, east: 137.8347, north: 55.8271 };

/**
 * Offset a place from WGS 84 to GCJ-02, as geo/crs.py does.
 * @param {{lat: number, lng: number}} place degrees
 */
export function toGcj({ lat, lng }) {
  if (lng < CHINA.west || lng > CHINA.east || lat < CHINA.south || lat > CHINA.north) return L.latLng(lat, lng);
  const [x, y] = [lng - 105, lat - 35];
  const sin = (/** @type {number} */ turns) => Math.sin(turns * Math.PI);
  const [root, waves] = [Math.sqrt(Math.abs(x)), (20 * sin(6 * x) + 20 * sin(2 * x)) * (2 / 3)];
  const north =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves +
    (20 * sin(y) + 40 * sin(y / 3) + 160 * sin(y / 12) + 320 * sin(y / 30)) * (2 / 3);
  const east =
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves +
    (20 * sin(x) + 40 * sin(x / 3) + 150 * sin(x / 12) + 300 * sin(x / 30)) * (2 / 3);
  const phi = (lat * Math.PI) / 180;
  const magic = 1 - ECCENTRICITY_2 * Math.sin(phi) ** 2;
  const meridian = (AXIS * (1 - ECCENTRICITY_2)) / (magic * Math.sqrt(magic));
  const parallel = (AXIS / Math.sqrt(magic)) * Math.cos(phi);
  return L.latLng(lat + ((north / meridian) * 180) / Math.PI, lng + ((east / parallel) * 180) / Math.PI);
}

/** Tiles true in GCJ-02, all shifted by the difference at the middle of the view. */
const GcjTiles = L.TileLayer.extend({
  _getTiledPixelBounds(/** @type {any} */ center) {
    return L.TileLayer.prototype._getTiledPixelBounds.call(this, toGcj(center));
  },

  _setZoomTransform(/** @type {any} */ level, /** @type {any} */ center, /** @type {number} */ zoom) {
    L.TileLayer.prototype._setZoomTransform.call(this, level, toGcj(center), zoom);
  },

  _onMoveEnd() {
    if (!this._map || this._map._animatingZoom) return;
    this._setZoomTransforms(this._map.getCenter(), this._map.getZoom());
    this._update();
  },
});

/**
 * The layer of the base map that is set for this server; null where none is.
 * @returns {Promise<any>}
 */
export async function setTiles() {
  const set = await get("base");
  if (!set) return null;
  const Tiles = set.crs === "gcj02" ? GcjTiles : L.TileLayer;
  return new Tiles(set.tiles, {
    minNativeZoom: set.min_zoom,
    maxNativeZoom: set.max_zoom,
    maxZoom: 19,
    attribution: make("span", {}, set.attribution).innerHTML,
  });
}

/**
 * @param {import("./map.js").DistrictMap} on
 * @param {any} tiles
 * @param {boolean} shown
 */
export function showTiles({ map }, tiles, shown) {
  if (shown) tiles.addTo(map);
  else tiles.remove();
  map.getContainer().classList.toggle("with-tiles", shown);
}
