/**
 * The list of orders that come in. Its rows stay where they are and change their content, so that nothing on
 * the page moves. It shows what people can read: at most some new orders at each paint, the others are counted.
 */

import { exact, zone } from "../../site/moments.js";

const ROWS_A_PAINT = 2;
const SHOWN_ITEMS = 2;

const language = document.documentElement.lang || "en";
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" });

/**
 * An order as the list shows it: the fields of the order in a socket message.
 * @typedef {{id: string, orderNumber: string, version: number, status: number, totalAmount: string,
 *   currency: string, createdAt: string, items: {quantity: number, productName: string}[]}} ShownOrder
 */

export class OrderStream {
  #rows;
  #address;
  #words;
  #shown = [];
  #arriving = [];
  #passedOver = 0;
  #isHeld = false;

  /**
   * @param {HTMLTableElement} table with a row for each order that it can show.
   * @param {Map<number, {label: string, tone: string}>} words the word and tone of each status.
   */
  constructor(table, words) {
    this.#rows = [...table.tBodies[0].rows].map((row) => new Row(row));
    this.#address = table.dataset.orderUrl;
    this.#words = words;
  }

  /** How many orders came in too fast to be listed. */
  get passedOver() {
    return this.#passedOver;
  }

  /** While held, the list does not change. */
  get isHeld() {
    return this.#isHeld;
  }

  set isHeld(isHeld) {
    this.#isHeld = isHeld;
  }

  /** Whether orders wait to be listed. */
  get isBehind() {
    return this.#arriving.length > 0 && !this.#isHeld;
  }

  /** @param {string} type of the message. @param {ShownOrder} order as it is after it. */
  take(type, order) {
    if (this.#renewAny(order) || type !== "order:created") return;
    this.#arriving.push(order);
    if (this.#arriving.length > this.#rows.length) {
      this.#arriving.shift();
      this.#passedOver += 1;
    }
  }

  /** Takes the newest orders of the server to those that are shown. @param {ShownOrder[]} orders */
  merge(orders) {
    const unknown = orders.filter((order) => !this.#renewAny(order));
    // Ids of orders begin with the time.
    const known = [...this.#shown, ...unknown].sort((one, other) => (one.id < other.id ? 1 : -1));
    this.#shown = known.slice(0, this.#rows.length);
  }

  /** Takes later versions of the orders that are shown. @param {ShownOrder[]} orders */
  renew(orders) {
    for (const order of orders) this.#renewAny(order);
  }

  /** Shows the orders as they are now. */
  paint() {
    if (this.#isHeld) return;
    const arrived = this.#arriving.splice(0, ROWS_A_PAINT).reverse();
    this.#shown = [...arrived, ...this.#shown].slice(0, this.#rows.length);
    this.#rows.forEach((row, number) => row.show(this.#shown[number], this.#words, this.#address));
  }

  #renewAny(order) {
    return this.#renew(this.#shown, order) || this.#renew(this.#arriving, order);
  }

  #renew(orders, order) {
    const number = orders.findIndex((each) => each.id === order.id);
    if (number < 0) return false;
    if (orders[number].version < order.version) orders[number] = order;
    return true;
  }
}

const NO_ORDER = "00000000-0000-0000-0000-000000000000";

class Row {
  #row;
  #cells = {};
  #shown = null;

  constructor(row) {
    this.#row = row;
    for (const cell of row.querySelectorAll("[data-cell]")) this.#cells[cell.dataset.cell] = cell;
  }

  show(order, words, address) {
    if (!order || order === this.#shown) return;
    const { number, status, items, total, placed } = this.#cells;
    const isSame = this.#shown?.id === order.id;
    showStatus(status.firstElementChild, words.get(order.status));
    this.#shown = order;
    if (isSame) return;
    this.#row.classList.remove("is-blank");
    number.textContent = order.orderNumber;
    number.href = address.replace(NO_ORDER, order.id);
    items.textContent = itemsInWords(order.items);
    showMoney(total, order);
    showTime(placed, new Date(order.createdAt));
  }
}

function showStatus(badge, { label, tone }) {
  badge.className = `badge tone-${tone}`;
  badge.textContent = label;
}

function itemsInWords(items) {
  const words = items.slice(0, SHOWN_ITEMS).map((item) => `${item.quantity} × ${item.productName}`);
  return words.join(", ") + (items.length > SHOWN_ITEMS ? " …" : "");
}

function showMoney(cell, { totalAmount, currency }) {
  const decimals = totalAmount.split(".")[1]?.length ?? 0;
  const form = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const money = document.createElement("span");
  const unit = document.createElement("small");
  money.className = "money";
  unit.textContent = currency;
  money.append(`${Number(totalAmount).toLocaleString(language, form)}\u00a0`, unit);
  cell.replaceChildren(money);
}

function showTime(cell, moment) {
  const time = document.createElement("time");
  time.dateTime = moment.toISOString();
  time.title = exact(moment);
  time.textContent = clock.format(moment);
  cell.replaceChildren(time);
}
