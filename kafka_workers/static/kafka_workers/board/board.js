/**
 * The board. The socket tells what happens to orders; what it cannot tell is asked of the server every few
 * seconds. Messages are counted as they come, and painted in batches.
 */

import { LiveConnection, showLiveState } from "../../orders_app/live.js";
import { OrderStream } from "./order_stream.js";
import { Painter } from "./painter.js";
import { showPanels } from "./panels.js";
import { RateChart, SLOT } from "./rate_chart.js";
import { Refresher } from "./refresher.js";
import { Tally } from "./tally.js";

const PAINT_INTERVAL = 400;
const REFRESH_PAUSE = 3000;
const SECOND = 1000;
/* The first figures after a break may be from before its end. */
const MERGES_AFTER_RESYNC = 2;

const language = document.documentElement.lang || "en";
const tiles = new Map(
  [...document.querySelectorAll("[data-status]")].map((tile) => [Number(tile.dataset.status), tile]),
);
const tally = new Tally();
const chart = new RateChart(document.querySelector("[data-chart]"));
const stream = new OrderStream(
  document.querySelector("[data-stream]"),
  new Map([...tiles].map(([status, tile]) => [status, tile.dataset])),
);
const painter = new Painter(paint, PAINT_INTERVAL);
const live = new LiveConnection({ onMessage: take, onState: tell });
const refresher = new Refresher({
  address: document.querySelector("script[data-figures]").dataset.figures,
  pause: REFRESH_PAUSE,
  onFigures: takeFigures,
  onState: (state) => state === "signed-out" && showLiveState(state),
});

let statuses = {};
let merges = 0;

takeFigures(JSON.parse(document.getElementById("board-figures").textContent));
letListBeHeld();
live.open();
refresher.start();
setInterval(() => painter.request(), SECOND);

function take(message) {
  tally.take(message);
  stream.take(message.type, message.order);
  painter.request();
}

function tell(state) {
  showLiveState(state);
  if (state !== "resync") return;
  merges = MERGES_AFTER_RESYNC;
  refresher.now();
}

function takeFigures(figures) {
  statuses = figures.statuses;
  tally.forgetBefore(figures.asOf);
  chart.take(figures);
  if (live.state !== "live" || merges > 0) stream.merge(figures.orders);
  else stream.renew(figures.orders);
  merges -= 1;
  if (figures.panels) showPanels(figures.panels);
  painter.request();
}

function paint() {
  paintStatuses();
  const { most, lastMinute } = chart.paint(tally.placedBySlot(SLOT));
  show("[data-most]", most);
  show("[data-last-minute]", lastMinute);
  stream.paint();
  paintPassedOver();
  if (stream.isBehind) painter.request();
}

function paintStatuses() {
  const changes = tally.statusChanges();
  for (const [status, tile] of tiles) {
    setText(tile.querySelector("[data-count]"), grouped(Math.max(0, (statuses[status] ?? 0) + changes[status])));
  }
}

function paintPassedOver() {
  const note = document.querySelector("[data-passed-over]");
  const sentence = note.dataset.sentence.replace("{n}", grouped(stream.passedOver));
  setText(note, stream.passedOver ? sentence : "");
}

function letListBeHeld() {
  const button = document.querySelector("[data-hold]");
  button.hidden = false;
  button.addEventListener("click", () => {
    stream.isHeld = !stream.isHeld;
    button.setAttribute("aria-pressed", String(stream.isHeld));
    for (const text of button.querySelectorAll("[data-when-held]")) {
      text.hidden = (text.dataset.whenHeld === "yes") !== stream.isHeld;
    }
    painter.request();
  });
}

function show(selector, number) {
  setText(document.querySelector(selector), grouped(number));
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function grouped(number) {
  return number.toLocaleString(language);
}
