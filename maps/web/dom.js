// @ts-check
// Elements made in code: text is always text, so nothing from the data can become markup.

/** @typedef {{zh: string, en: string}} Words A saying in both languages; app.css shows one. */
/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Find an element of the page that is known to be there.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, string | boolean | null>} attributes null and false are left out
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

/**
 * Say something in both languages.
 * @param {Words} words
 * @returns {DocumentFragment}
 */
export function both({ zh, en }) {
  const said = document.createDocumentFragment();
  said.append(make("span", { lang: "zh-CN" }, zh), make("span", { lang: "en" }, en));
  return said;
}

/**
 * Say that something failed, and why.
 * @param {unknown} error
 * @returns {Child[]}
 */
export function failure(error) {
  return [both({ zh: "出错了：", en: "Something went wrong: " }), error instanceof Error ? error.message : String(error)];
}

/**
 * Replace what an element holds.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function present(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
