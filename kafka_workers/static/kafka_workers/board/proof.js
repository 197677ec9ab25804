/** The proof page: the last look at the stock, asked for again every few seconds. */

import { showPanels } from "./panels.js";
import { Refresher } from "./refresher.js";

const REFRESH_PAUSE = 2500;

const refresher = new Refresher({
  address: document.querySelector("script[data-figures]").dataset.figures + location.search,
  pause: REFRESH_PAUSE,
  onFigures: ({ panels }) => showPanels(panels),
  onState: tell,
});
refresher.start();
refresher.now();

function tell(state) {
  const indicator = document.querySelector("[data-refresh-state]");
  if (indicator.dataset.refreshState === state) return;
  indicator.dataset.refreshState = state;
  indicator.dataset.state = { ok: "live", away: "offline", "signed-out": "signed-out" }[state];
  for (const text of indicator.querySelectorAll("[data-when]")) text.hidden = text.dataset.when !== state;
}
