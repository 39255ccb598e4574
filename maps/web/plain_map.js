// @ts-check
// What every map of ours begins with, and the pin of a place.

const L = /** @type {any} */ (globalThis).L;

/**
 * @param {HTMLElement} element
 * @param {any} [options] Leaflet's own
 * @returns {any} a Leaflet map
 */
export function plainMap(element, options = {}) {
  const map = L.map(element, { zoomSnap: 0.25, maxZoom: 19, ...options });
  map.attributionControl.setPrefix(false);
  L.control.scale({ imperial: false }).addTo(map);
  return map;
}

/** @param {{lon: number, lat: number}} place */
export function pin({ lon, lat }) {
  const icon = L.divIcon({ className: "pin", iconSize: [18, 18] });
  return L.marker([lat, lon], { icon, interactive: false, keyboard: false });
}
