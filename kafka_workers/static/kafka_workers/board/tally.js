/**
 * Counts what the socket tells after the figures of the server, in bounded memory.
 *
 * The figures of the server are of a moment. What happened later is added to them until the next figures come.
 */

const BUCKET = 100;
const MOST_BUCKETS = 1200;

const PLACED = 0;
const PENDING = 1;
const PROCESSING = 2;
const SHIPPED = 3;
const DELIVERED = 4;
const CANCELLED = 5;
const CASH_ON_DELIVERY = 6;
const PAID = 2;

const CHANGES = {
  "order:created": () => [[PLACED, 1], [PENDING, 1]],
  "order:status_changed": (message) => [[message.oldStatus, -1], [message.newStatus, 1]],
  "order:completed": () => [[SHIPPED, -1], [DELIVERED, 1]],
  "order:cancelled": (message) => [[statusBefore(message.order), -1], [CANCELLED, 1]],
};

/** What status a cancelled order had; its message does not say it. */
function statusBefore(order) {
  if (order.shippedAt) return SHIPPED;
  const isPaid = order.paymentStatus === PAID || order.paymentMethod === CASH_ON_DELIVERY;
  return order.stockStatus === "reserved" && isPaid ? PROCESSING : PENDING;
}

/** What happened, in buckets of a tenth of a second; the oldest buckets are forgotten. */
export class Tally {
  #buckets = new Map();

  /** @param {object} message a message about an order. */
  take(message) {
    const changes = CHANGES[message.type]?.(message);
    if (!changes) return;
    const bucket = this.#bucketAt(Date.parse(message.timestamp));
    for (const [index, change] of changes) bucket[index] += change;
  }

  /** Forgets what happened before a moment, which the figures of the server have. @param {number} moment */
  forgetBefore(moment) {
    const first = Math.floor(moment / BUCKET);
    for (const number of this.#buckets.keys()) if (number < first) this.#buckets.delete(number);
  }

  /** @returns {Int32Array} the changes of the number of orders of each status, by status. */
  statusChanges() {
    const sums = new Int32Array(6);
    for (const bucket of this.#buckets.values()) {
      for (let status = PENDING; status <= CANCELLED; status += 1) sums[status] += bucket[status];
    }
    return sums;
  }

  /**
   * @param {number} slotLength in milliseconds.
   * @returns {Map<number, number>} how many orders were placed, by the number of the slot.
   */
  placedBySlot(slotLength) {
    const placed = new Map();
    for (const [number, bucket] of this.#buckets) {
      const slot = Math.floor((number * BUCKET) / slotLength);
      placed.set(slot, (placed.get(slot) ?? 0) + bucket[PLACED]);
    }
    return placed;
  }

  #bucketAt(moment) {
    const number = Math.floor(moment / BUCKET);
    let bucket = this.#buckets.get(number);
    if (!bucket) {
      if (this.#buckets.size >= MOST_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value);
      bucket = new Int32Array(6);
      this.#buckets.set(number, bucket);
    }
    return bucket;
  }
}
