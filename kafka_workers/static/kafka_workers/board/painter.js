/** Paints what has changed, at most once in an interval, when the browser paints anyway. */

export class Painter {
  #paint;
  #interval;
  #last = -Infinity;
  #isPlanned = false;

  /** @param {() => void} paint @param {number} interval in milliseconds. */
  constructor(paint, interval) {
    this.#paint = paint;
    this.#interval = interval;
  }

  /** Something has changed. */
  request() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now) {
    if (now - this.#last < this.#interval) {
      setTimeout(() => requestAnimationFrame((later) => this.#frame(later)), this.#interval - (now - this.#last));
      return;
    }
    this.#last = now;
    this.#isPlanned = false;
    this.#paint();
  }
}
