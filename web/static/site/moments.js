/** Times as the pages show them, in the zone of the browser. */

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

const language = document.documentElement.lang || "en";
/** What stands behind the number of a day. */
const ordinal = language.startsWith("de") ? "." : "";
const day = new Intl.DateTimeFormat(language, { timeZone: zone, day: "numeric", month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" });

/** A time as `26 Nov 2026, 14:05`, as the server writes it (web/shown_values.py). @param {Date} time @returns {string} */
export function shown(time) {
  return `${dayOf(time)}, ${clock.format(time)}${zone === "UTC" ? " UTC" : ""}`;
}

/** The same with seconds and zone. @param {Date} time @returns {string} */
export function exact(time) {
  return `${dayOf(time)}, ${seconds.format(time)} ${zone}`;
}

/** Makes a `<time>` show this moment. @param {HTMLTimeElement} element @param {string} iso */
export function showMoment(element, iso) {
  const time = new Date(iso);
  element.dateTime = iso;
  element.title = exact(time);
  element.textContent = shown(time);
}

function dayOf(time) {
  const parts = Object.fromEntries(day.formatToParts(time).map((part) => [part.type, part.value]));
  return `${parts.day}${ordinal} ${parts.month.slice(0, 3)} ${parts.year}`;
}
