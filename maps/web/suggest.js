// @ts-check
// The search box suggests while somebody types: a combobox with a list, by keyboard, mouse and finger.

import { get } from "./api.js";
import { both, byId, fill, make } from "./dom.js";

/** @typedef {import("./dom.js").Words} Words */
/**
 * @typedef {object} Suggestion as the API gives it
 * @property {string} text
 * @property {string} kind
 * @property {[number, number][]} spans
 * @property {string | null} compound
 * @property {string | null} community
 * @property {string | null} town
 * @property {string | null} external_code
 * @property {{code: string, external_code: string | null} | null} grid
 */

/** A pause in typing that is worth a question, in milliseconds. */
const PAUSE = 120;
/** What is longer is no name that somebody types; the API refuses it. */
const LONGEST = 100;

/** @type {Record<string, Words>} */
const KIND = {
  compound: { zh: "小区", en: "compound" },
  estate: { zh: "小区（各期）", en: "estate, all phases" },
  building: { zh: "楼栋", en: "building" },
  road: { zh: "道路", en: "road" },
  house: { zh: "门牌", en: "house number" },
  poi: { zh: "地点", en: "place" },
  town: { zh: "街道/镇", en: "town" },
  community: { zh: "社区", en: "community" },
};

/** The search box and its list. */
class Suggesting {
  /**
   * @param {HTMLInputElement} box
   * @param {HTMLElement} list
   * @param {HTMLElement} said where the number of suggestions is told to who does not see them
   */
  constructor(box, list, said) {
    this.box = box;
    this.list = list;
    this.said = said;
    /** @type {Suggestion[]} */
    this.found = [];
    this.active = -1;
    this.composing = false;
    this.timer = 0;
    this.asking = new AbortController();
    box.addEventListener("compositionstart", () => this.compose(true));
    box.addEventListener("compositionend", () => this.compose(false));
    box.addEventListener("input", () => this.typed());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.close());
    box.form?.addEventListener("submit", () => this.close());
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    list.addEventListener("click", (event) => this.clicked(event));
  }

  /** @param {boolean} composing whether an input method holds letters that are no text yet */
  compose(composing) {
    this.composing = composing;
    if (composing) this.forget();
    else this.typed();
  }

  typed() {
    this.forget();
    if (this.composing) return;
    const text = this.box.value.trim();
    if (!text || [...text].length > LONGEST) this.close();
    else this.timer = window.setTimeout(() => this.ask(text), PAUSE);
  }

  /** Ask no more, and take no answer, for what was typed before. */
  forget() {
    window.clearTimeout(this.timer);
    this.asking.abort();
  }

  /** @param {string} text */
  async ask(text) {
    const { signal } = (this.asking = new AbortController());
    try {
      const { suggestions } = await get("suggest", { q: text }, signal);
      if (!signal.aborted) this.show(suggestions);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    }
  }

  /** @param {Suggestion[]} suggestions */
  show(suggestions) {
    this.found = suggestions;
    this.mark(-1);
    fill(this.list, ...suggestions.map(option));
    this.open(suggestions.length > 0);
    const count = suggestions.length;
    fill(this.said, both(count ? { zh: `${count} 条建议`, en: `${count} suggestions` } : { zh: "没有建议", en: "No suggestions" }));
  }

  /** @param {unknown} error */
  fail(error) {
    this.found = [];
    this.mark(-1);
    const why = both({ zh: "暂无建议：", en: "No suggestions now: " });
    fill(this.list, make("li", { class: "muted", role: "presentation" }, why, error instanceof Error ? error.message : String(error)));
    this.open(true);
  }

  close() {
    this.forget();
    this.mark(-1);
    this.open(false);
  }

  /** @param {boolean} open */
  open(open) {
    this.list.hidden = !open;
    this.box.setAttribute("aria-expanded", String(open));
    if (!open) fill(this.said);
    else if (this.list.getBoundingClientRect().bottom > seen()) this.box.scrollIntoView({ block: "start" });
  }

  /** @param {number} position of the suggestion that Enter takes; -1 for none */
  mark(position) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = position;
    const option = this.list.children[position];
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.box.setAttribute("aria-activedescendant", option.id);
    } else this.box.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.composing || event.isComposing) return; // the input method's own
    const open = !this.list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && open && this.found.length) {
      const places = this.found.length + 1; // the box itself is one
      this.mark(((this.active + 1 + step + places) % places) - 1);
    } else if (step === 1 && !open) this.typed();
    else if (event.key === "Enter" && open && this.active >= 0) this.choose(this.found[this.active]);
    else if (event.key === "Escape" && open) this.close();
    else return;
    event.preventDefault();
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const chosen = event.target instanceof Element && event.target.closest("[role=option]");
    if (chosen) this.choose(this.found[[...this.list.children].indexOf(chosen)]);
  }

  /**
   * Put a suggestion into the box; one building is asked about, anything else is narrowed down further.
   * @param {Suggestion} suggestion
   */
  choose(suggestion) {
    this.box.value = suggestion.text;
    this.close();
    if (suggestion.grid) this.box.form?.requestSubmit();
    else this.ask(suggestion.text);
  }
}

/** How far down the page is seen; a keyboard on the screen hides the rest. */
function seen() {
  return window.visualViewport?.height ?? window.innerHeight;
}

/**
 * @param {Suggestion} suggestion
 * @param {number} position
 */
function option({ text, kind, spans, compound, community, town, grid }, position) {
  const around = [compound && !text.includes(compound) ? compound : null, community !== text ? community : null, town !== text ? town : null];
  return make(
    "li",
    { role: "option", id: `suggestion-${position}`, "aria-selected": "false" },
    make("span", { class: "name" }, ...marked(text, spans)),
    grid && make("span", { class: "number" }, grid.external_code ?? grid.code),
    make("span", { class: "muted small" }, both(KIND[kind] ?? { zh: kind, en: kind }), ...around.filter(Boolean).map((name) => ` · ${name}`)),
  );
}

/**
 * @param {string} text
 * @param {[number, number][]} spans in characters, not in the halves that JavaScript counts
 */
function marked(text, spans) {
  const characters = [...text];
  let done = 0;
  const parts = spans.flatMap(([begin, end]) => {
    const before = characters.slice(done, begin).join("");
    done = end;
    return [before, make("mark", {}, characters.slice(begin, end).join(""))];
  });
  return [...parts, characters.slice(done).join("")];
}

/** Let the search box of the page suggest. */
export function suggest() {
  return new Suggesting(/** @type {HTMLInputElement} */ (byId("address")), byId("suggestions"), byId("suggested"));
}
