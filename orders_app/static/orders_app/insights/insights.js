/** The page of figures: draws its charts, reads its figures again and again, pauses and prints. */

import { Charts } from "./charts.js";
import { Refresher } from "./refresh.js";

const charts = new Charts(document);
charts.draw(readData());

const refresher = new Refresher(document.querySelector("[data-figures]"), () => charts.draw(readData()));
refresher.start();

const measures = document.querySelector("[data-measures]");
measures.hidden = false;
measures.addEventListener("change", ({ target }) => charts.show(target.value));

const pause = document.querySelector("[data-pause]");
pause.hidden = false;
pause.addEventListener("click", () => {
  const isPaused = refresher.toggle();
  pause.textContent = isPaused ? pause.dataset.resumeText : pause.dataset.pauseText;
});

const print = document.querySelector("[data-print]");
print.hidden = false;
print.addEventListener("click", () => window.print());
addEventListener("beforeprint", () => charts.fitPaper());
addEventListener("afterprint", () => charts.fitScreen());

function readData() {
  return JSON.parse(document.getElementById("insights-data").textContent);
}
