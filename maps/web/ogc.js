// @ts-check
// Pages of map layers: a map of what the page tells, addresses to copy, and forms that send only what is filled in.

import { make } from "./dom.js";
import { plainMap } from "./plain_map.js";

const L = /** @type {any} */ (globalThis).L;

/**
 * @param {any} style of a layer, as the registry has it
 * @param {any} properties
 */
function looks(style, properties) {
  const line = style.colours[properties?.[style.by]] ?? style.line;
  return {
    color: line,
    weight: style.width,
    fill: style.fill !== null,
    fillColor: style.fill ?? line,
    fillOpacity: style.opacity,
    dashArray: style.dashes.length ? style.dashes.join(" ") : null,
    radius: style.radius,
  };
}

/**
 * @param {string} href
 * @returns {Promise<any>} a feature or a collection of them
 */
async function read(href) {
  const response = await fetch(href, { headers: { Accept: "application/geo+json" } });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

/** @param {HTMLElement} element which says what is drawn */
async function draw(element) {
  const { items, extent, about, behind, style, label } = JSON.parse(element.dataset.layer ?? "{}");
  const map = plainMap(element, { preferCanvas: true }).setView([31.7, 118.5], 11);
  map.createPane("behind").style.zIndex = "350";
  if (extent) {
    const [west, south, east, north] = extent;
    const corners = [[south, west], [north, east]];
    L.rectangle(corners, { color: "#0b6e6e", weight: 2, dashArray: "6 4", fill: false }).addTo(map);
    map.fitBounds(corners, { padding: [16, 16] });
  }
  const credits = read(about).then(({ attribution }) => {
    if (attribution) map.attributionControl.addAttribution(make("span", {}, attribution).innerHTML);
  });
  const outlines = read(behind.href).then((found) => {
    const renderer = L.canvas({ pane: "behind" });
    const light = { ...looks(behind.style, {}), weight: 1, opacity: 0.5 };
    L.geoJSON(found, { style: light, renderer, interactive: false }).addTo(map);
  });
  if (items) {
    const layer = L.geoJSON(await read(items), {
      style: (/** @type {any} */ feature) => looks(style, feature.properties),
      pointToLayer: (/** @type {any} */ feature, /** @type {any} */ place) => L.circleMarker(place, looks(style, feature.properties)),
    });
    layer.bindTooltip((/** @type {any} */ { feature }) => make("span", {}, `${feature.properties[label] ?? feature.id}`), { sticky: true });
    layer.on("click", (/** @type {any} */ { layer: { feature } }) => show(`${feature.id}`));
    layer.addTo(map);
    if (layer.getBounds().isValid()) map.fitBounds(layer.getBounds(), { padding: [16, 16], maxZoom: 17 });
  }
  offer(map);
  await Promise.all([credits, outlines]);
}

/** @param {string} id of a feature whose row is brought into view */
function show(id) {
  const row = document.getElementById(id);
  document.querySelectorAll("tr.found").forEach((other) => other.classList.remove("found"));
  row?.classList.add("found");
  row?.scrollIntoView({ block: "center" });
}

/** @param {any} map whose view can be asked for */
function offer(map) {
  const button = document.querySelector("[data-here]");
  if (!(button instanceof HTMLButtonElement) || !button.form) return;
  const { form } = button;
  button.hidden = false;
  button.addEventListener("click", () => {
    const view = map.getBounds();
    const box = form.elements.namedItem("bbox");
    if (box instanceof HTMLInputElement) {
      box.value = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()].map((each) => each.toFixed(6)).join(",");
    }
    form.querySelector("[name='bbox-crs']")?.remove(); // it is in degrees
    form.requestSubmit();
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const address = button.previousElementSibling;
  if (!(button instanceof HTMLButtonElement) || !(address instanceof HTMLInputElement)) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    address.select();
    if (navigator.clipboard) await navigator.clipboard.writeText(address.value);
    else document.execCommand("copy"); // pages not sent by https have no clipboard
    button.textContent = button.dataset.done ?? "";
  });
}

document.querySelector("form.search")?.addEventListener("formdata", (event) => {
  const { formData } = /** @type {FormDataEvent} */ (event);
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

document.querySelectorAll("[data-layer]").forEach((element) => draw(/** @type {HTMLElement} */ (element)));
