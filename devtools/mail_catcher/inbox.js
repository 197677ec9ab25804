// Shows new mails as they come, unless somebody is typing or reading an older page.
"use strict";
const newest = () => fetch("/api/messages?limit=1").then((answer) => answer.json());
let shown;
setInterval(async () => {
  try {
    const { count, messages } = await newest();
    const seen = `${count} ${messages[0]?.id}`;
    const isBusy = document.activeElement?.tagName === "INPUT" || location.search;
    if (shown !== undefined && shown !== seen && !isBusy) location.reload();
    shown ??= seen;
  } catch {
    // The catcher is away; the page stays as it is.
  }
}, 2000);
