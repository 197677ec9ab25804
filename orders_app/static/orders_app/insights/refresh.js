/** Reads the figures of the page again and puts them in place, without touching what a person has opened. */

const LONGEST_SECONDS = 300;
/** A figure that takes long is asked for more rarely: at most this part of the time is spent on asking. */
const SHARE_OF_TIME = 0.1;

/** Keeps an element with `data-figures`, the address of its contents, and `data-seconds` up to date. */
export class Refresher {
  #element;
  #told;
  #state = document.querySelector("[data-refresh-state]");
  #timer = 0;
  #isPaused = false;
  #failures = 0;
  #lastMilliseconds = 0;

  /**
   * @param {HTMLElement} element
   * @param {() => void} told Called after new figures are in place.
   */
  constructor(element, told) {
    this.#element = element;
    this.#told = told;
  }

  /** Begins; stops while nobody looks at the page. */
  start() {
    this.#state.hidden = false;
    this.#show("live");
    document.addEventListener("visibilitychange", () => this.#plan(document.hidden ? null : 0));
    addEventListener("online", () => this.#plan(0));
    this.#plan();
  }

  /** Pauses, or goes on. @returns {boolean} whether it is paused now */
  toggle() {
    this.#isPaused = !this.#isPaused;
    if (this.#isPaused) this.#show("paused");
    this.#plan(this.#isPaused ? null : 0);
    return this.#isPaused;
  }

  #plan(seconds = this.#pauseSeconds()) {
    clearTimeout(this.#timer);
    if (seconds === null || this.#isPaused || document.hidden) return;
    this.#timer = setTimeout(() => this.#refresh(), seconds * 1000);
  }

  #pauseSeconds() {
    const usual = Number(this.#element.dataset.seconds) * 2 ** this.#failures;
    return Math.min(LONGEST_SECONDS, Math.max(usual, this.#lastMilliseconds / 1000 / SHARE_OF_TIME));
  }

  async #refresh() {
    const begun = performance.now();
    const page = await this.#fetch();
    this.#lastMilliseconds = performance.now() - begun;
    if (page === "signed-out") return this.#show(page);
    this.#failures = page === null ? this.#failures + 1 : 0;
    if (page !== null && !this.#isPaused) this.#put(page);
    if (!this.#isPaused) this.#show(page === null ? "offline" : "live");
    this.#plan();
  }

  /** The new contents; null where there is no answer, and `signed-out`. */
  async #fetch() {
    try {
      // The server answers with a redirect to the sign-in page where the session has ended.
      const answer = await fetch(this.#element.dataset.figures, { redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 403) return "signed-out";
      return answer.ok ? await answer.text() : null;
    } catch {
      return null;
    }
  }

  #put(page) {
    const fresh = new DOMParser().parseFromString(page, "text/html");
    for (const part of this.#element.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (other && other.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
        part.replaceChildren(...other.childNodes);
      }
    }
    this.#told();
  }

  #show(state) {
    if (this.#state.dataset.state === state) return;
    const words = { live: "live", paused: "paused", offline: "offline", "signed-out": "signedOut" };
    this.#state.dataset.state = state;
    this.#state.textContent = this.#state.dataset[words[state]];
  }
}
