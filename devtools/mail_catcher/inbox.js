// Shows new mails as they come, unless somebody is typing or reading an older page.
"use strict";
const newest = () => fetch("/api/messages?limit=1").then((answer) => answer.json());
const { seen } = document.querySelector(".mails").dataset;
setInterval(async () => {
  try {
    const { count, messages } = await newest();
    const isBusy = document.activeElement?.tagName === "INPUT" || location.search;
    if (seen !== `${count} ${messages[0]?.id ?? 0}` && !isBusy) location.reload();
  } catch {
    // The catcher is away; the page stays as it is.
  }
}, 2000);
