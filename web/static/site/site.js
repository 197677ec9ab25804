/** What every page does beyond its HTML: times, menus, one submit a form, and the word that one is offline. */

import { showMoment, zone } from "./moments.js";

showZone();
closeMenus();
submitOnce();
tellOffline();

/** On the first page the server does not know the zone of the browser yet. */
function showZone() {
  if (document.body.dataset.zone === zone) return;
  for (const time of document.querySelectorAll("time[data-moment]")) showMoment(time, time.dateTime);
  for (const name of document.querySelectorAll("[data-zone-name]")) name.textContent = zone;
}

function closeMenus() {
  const menus = document.querySelectorAll("details[data-menu]");
  document.addEventListener("click", ({ target }) => {
    for (const menu of menus) if (!menu.contains(target)) menu.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") for (const menu of menus) menu.open = false;
  });
}

/** A second click on the button of a form with `data-once` sends nothing. */
function submitOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
}

function tellOffline() {
  const bar = document.querySelector("[data-offline]");
  if (!bar) return;
  const tell = () => { bar.hidden = navigator.onLine; };
  addEventListener("online", tell);
  addEventListener("offline", tell);
  tell();
}
