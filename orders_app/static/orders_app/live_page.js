/**
 * A page that shows orders as they are: when a message tells of a change, the page is loaded again behind the
 * scenes, and its parts that differ are put in the place of the old ones.
 *
 * `data-live-source` is the address of the page; `data-live-order` and `data-live-version`, or
 * `data-live-user`, say which messages concern it. A `data-part` with a `data-key` (a form) stays as long as
 * its key does, so that nothing that somebody types is lost.
 */

import { LiveConnection, showLiveState } from "./live.js";

const PAUSE_BETWEEN_LOADS = 300;
const source = document.querySelector("[data-live-source]");
const { liveSource, liveOrder = "", liveUser = "" } = source.dataset;
let isLoading = false;
let isStale = false;

new LiveConnection({
  lastEventId: liveOrder && `${liveOrder}:${source.dataset.liveVersion}`,
  onMessage: (message) => concerns(message) && refresh(),
  onState: tellState,
}).open();

function concerns(message) {
  if (!liveOrder) return message.order.userId === liveUser;
  return message.orderId === liveOrder && message.version > Number(source.dataset.liveVersion);
}

function tellState(state) {
  showLiveState(state);
  // Without a connection the page asks at each attempt to connect: the web server may be there all the same.
  if (state === "resync" || state === "offline" || (state === "live" && isStale)) refresh();
}

/** Shows the page as it is now; one load at a time, and one more where something happened meanwhile. */
async function refresh() {
  isStale = true;
  if (isLoading) return;
  isLoading = true;
  try {
    while (isStale) {
      isStale = false;
      await load();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_BETWEEN_LOADS));
    }
  } catch {
    isStale = true; // tried again with the next message, or when the connection is there again
  } finally {
    isLoading = false;
  }
}

async function load() {
  const response = await fetch(liveSource, { headers: { Accept: "text/html" } });
  if (response.status >= 500) throw new Error(`${liveSource}: ${response.status}`);
  if (response.redirected) return showLiveState("signed-out");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.querySelector("[data-live-source]");
  // The order was deleted, for example: the whole page says so.
  if (!found) return location.reload();
  source.dataset.liveVersion = found.dataset.liveVersion ?? "";
  for (const part of source.querySelectorAll("[data-part]")) {
    showPart(part, found.querySelector(`[data-part="${part.dataset.part}"]`));
  }
}

function showPart(part, found) {
  if (!found || isSame(part, found)) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : null;
  markNewStages(part, found);
  keepOpen(part, found);
  // What is below stays where it is.
  part.style.minHeight = `${part.offsetHeight}px`;
  part.dataset.key = found.dataset.key ?? "";
  part.replaceChildren(...found.childNodes);
  if (focused !== null) (document.getElementById(focused) ?? document.getElementById("content")).focus();
}

function isSame(part, found) {
  const key = found.dataset.key;
  return key === undefined ? part.innerHTML === found.innerHTML : part.dataset.key === key;
}

function markNewStages(part, found) {
  const before = new Set([...part.querySelectorAll("[data-stage]")].map((stage) => stage.dataset.stage));
  for (const stage of found.querySelectorAll("[data-stage]")) {
    stage.classList.toggle("is-new", !before.has(stage.dataset.stage));
  }
}

/** What a person has opened stays open, and nothing else opens by itself. */
function keepOpen(part, found) {
  const before = part.querySelectorAll("details");
  found.querySelectorAll("details").forEach((details, index) => {
    details.open = before[index]?.open ?? false;
  });
}
