/** The chart of the orders that were placed in the last ten minutes: one bar for each slot. */

export const SLOT = 10_000;
const HEIGHT = 100;
const MINUTE_SLOTS = 60_000 / SLOT;

export class RateChart {
  #bars;
  #firstSlot = 0;
  #placed;
  #serverClock = -Infinity;

  /** @param {SVGElement} picture with a `rect` for each slot, the newest last. */
  constructor(picture) {
    this.#bars = [...picture.querySelectorAll("rect")];
    this.#placed = new Array(this.#bars.length).fill(0);
  }

  /** Takes the figures of the server. @param {{asOf: number, firstSlot: number, placed: number[]}} figures */
  take({ asOf, firstSlot, placed }) {
    this.#firstSlot = firstSlot;
    this.#placed = placed;
    // The figures may be some seconds old: the youngest tell best how the server's clock goes.
    this.#serverClock = Math.max(this.#serverClock, asOf - performance.now());
  }

  /**
   * Shows the slots up to the one that runs.
   * @param {Map<number, number>} later orders that were placed after the figures of the server, by slot.
   * @returns {{most: number, lastMinute: number}} the most orders of a slot, and those of the last minute.
   */
  paint(later) {
    const counts = this.#countsWith(later);
    const most = Math.max(...counts);
    counts.forEach((count, number) => this.#show(this.#bars[number], count / Math.max(1, most)));
    const lastMinute = counts.slice(-MINUTE_SLOTS).reduce((sum, count) => sum + count, 0);
    return { most, lastMinute };
  }

  #countsWith(later) {
    const first = this.#firstSlot + Math.max(0, this.#slotsSince());
    return this.#bars.map((_, number) => {
      const slot = first + number;
      return (this.#placed[slot - this.#firstSlot] ?? 0) + (later.get(slot) ?? 0);
    });
  }

  /* How many slots have begun since the figures of the server. */
  #slotsSince() {
    return Math.floor((this.#serverClock + performance.now()) / SLOT) - (this.#firstSlot + this.#bars.length - 1);
  }

  #show(bar, share) {
    const height = (HEIGHT * share).toFixed(2);
    if (bar.getAttribute("height") === height) return;
    bar.setAttribute("height", height);
    bar.setAttribute("y", (HEIGHT - height).toFixed(2));
  }
}
