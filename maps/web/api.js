// @ts-check
// The API as these pages use it. Answers come as they are; a refusal becomes an ApiError that says why.

/** What the server, or the way to it, has against a request. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status, 0 where there was no answer
   * @param {string} message what is wrong and what can be done, in the server's words
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const district = new URLSearchParams(location.search).get("district");

/**
 * Address of a resource of the API; the district of the page's own address goes along.
 * @param {string} path
 * @param {Record<string, string | number>} [query]
 * @returns {string}
 */
export function address(path, query = {}) {
  return withQuery(`api/v1/${path}`, query);
}

/**
 * @param {string} path
 * @param {Record<string, string | number>} query
 */
function withQuery(path, query) {
  const named = district ? { ...query, district } : query;
  const search = new URLSearchParams(Object.entries(named).map(([name, value]) => [name, String(value)]));
  return `${path}${search.size ? `?${search}` : ""}`;
}

/**
 * One feature of a map layer, as GeoJSON.
 * @param {string} layer
 * @param {string} id
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function feature(layer, id) {
  const path = `ogc/collections/${layer}/items/${encodeURIComponent(id)}`;
  return answered(withQuery(path, { f: "json" }), { headers: { Accept: "application/geo+json" } });
}

/**
 * @param {string} path
 * @param {Record<string, string | number>} [query]
 * @param {AbortSignal} [signal] given up, the answer is an ApiError as where there is none
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function get(path, query, signal) {
  return answered(address(path, query), { headers: { Accept: "application/json" }, signal });
}

/**
 * Ask with what is asked in the body, where no log on the way has it.
 * @param {string} path
 * @param {Record<string, unknown>} asked
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function ask(path, asked) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return answered(address(path), { method: "POST", headers, body: JSON.stringify(asked) });
}

/**
 * @param {string} url
 * @param {RequestInit} request
 * @returns {Promise<any>}
 */
async function answered(url, request) {
  let response;
  try {
    response = await fetch(url, request);
  } catch {
    throw new ApiError(0, "服务器没有应答。 The server does not answer.");
  }
  if (response.ok) return response.json();
  throw new ApiError(response.status, await reason(response));
}

/**
 * @param {Response} response
 * @returns {Promise<string>}
 */
async function reason(response) {
  const fallback = `${response.status} ${response.statusText}`;
  if (!response.headers.get("content-type")?.includes("json")) return fallback;
  const problem = await response.json();
  const faults = (problem.errors ?? []).map((/** @type {{parameter: string, fault: string}} */ each) => `${each.parameter}: ${each.fault}`);
  return [problem.detail, problem.remedy, ...faults].filter(Boolean).join(" ") || fallback;
}
