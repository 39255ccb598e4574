// Chinese first; English by a switch, which is remembered. Every text is in the page twice, app.css shows one.
(() => {
  const root = document.documentElement;
  /** Attributes cannot hold two spans: `data-en-title` holds the English of `title`, and so on. */
  const attributes = ["title", "aria-label", "placeholder"];

  /** @param {string} lang "zh-CN" or "en" */
  function show(lang) {
    root.lang = lang;
    for (const name of attributes) {
      for (const element of document.querySelectorAll(`[data-en-${name}]`)) {
        if (!element.hasAttribute(`data-zh-${name}`)) {
          element.setAttribute(`data-zh-${name}`, element.getAttribute(name) ?? "");
        }
        element.setAttribute(name, element.getAttribute(`data-${lang.slice(0, 2)}-${name}`) ?? "");
      }
    }
  }

  /** @returns {Storage | undefined} none in a file opened from disk or a page shut in by its server */
  function memory() {
    try {
      return localStorage;
    } catch {
      return undefined;
    }
  }

  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-switch-language]")) {
      show(root.lang === "en" ? "zh-CN" : "en");
      memory()?.setItem("lang", root.lang);
    }
  });
  if (memory()?.getItem("lang") === "en") show("en");
})();
