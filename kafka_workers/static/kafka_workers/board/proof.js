/** The proof page: the last look at the stock, asked for again every few seconds. */

import { showLiveState } from "../../orders_app/live.js";
import { showPanels } from "./panels.js";
import { Refresher } from "./refresher.js";

const REFRESH_PAUSE = 2500;

const refresher = new Refresher({
  address: document.querySelector("script[data-figures]").dataset.figures + location.search,
  pause: REFRESH_PAUSE,
  onFigures: ({ panels }) => showPanels(panels),
  onState: showLiveState,
});
refresher.start();
refresher.now();
