/**
 * Asks the server for the figures of the page again and again, while somebody sees the page.
 */

const LONGEST_WAIT = 15_000;

/**
 * How the last question ended: `live`, with figures; `offline`, without them; `signed-out`. These are states
 * of live.js too, whose `showLiveState` shows them.
 * @typedef {"live" | "offline" | "signed-out"} RefreshState
 */

export class Refresher {
  #address;
  #pause;
  #onFigures;
  #onState;
  #timer = 0;
  #isAsking = false;
  #isAsked = false;

  /**
   * @param {object} options
   * @param {string} options.address of the figures.
   * @param {number} options.pause between two questions, in milliseconds.
   * @param {(figures: object) => void} options.onFigures
   * @param {(state: RefreshState) => void} [options.onState] is given the state after each question.
   */
  constructor({ address, pause, onFigures, onState = () => {} }) {
    this.#address = address;
    this.#pause = pause;
    this.#onFigures = onFigures;
    this.#onState = onState;
  }

  /** Asks from now on, after a first pause. */
  start() {
    document.addEventListener("visibilitychange", () => this.#isSeen() && this.now());
    this.#plan();
  }

  /** Asks now, or once more as soon as the question that is asked is answered. */
  now() {
    if (this.#isAsking) this.#isAsked = true;
    else this.#ask();
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#isAsking = true;
    this.#isAsked = false;
    try {
      this.#onState(await this.#answer());
    } finally {
      this.#isAsking = false;
      if (this.#isAsked) this.#ask();
      else this.#plan();
    }
  }

  async #answer() {
    let figures;
    try {
      const signal = AbortSignal.timeout(LONGEST_WAIT);
      const response = await fetch(this.#address, { redirect: "manual", cache: "no-store", signal });
      if (response.type === "opaqueredirect" || response.status === 403) return "signed-out";
      if (!response.ok) return "offline";
      figures = await response.json();
    } catch {
      return "offline";
    }
    this.#onFigures(figures);
    return "live";
  }

  #plan() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#isSeen() && this.#ask(), this.#pause);
  }

  #isSeen() {
    return document.visibilityState === "visible";
  }
}
