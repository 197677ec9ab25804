/**
 * The live connection of a page: the messages about orders, over the WebSocket of docs/sockets.md.
 *
 * It is authenticated by the session of the page. After a break it connects again by itself, and the server
 * sends what was missed since the last message; where it cannot, the page is told to load its data again.
 */

/**
 * How the connection is:
 * - `connecting`: the first connection is being made;
 * - `live`: messages arrive as things happen;
 * - `offline`: there is no connection, and it is tried again, at growing intervals;
 * - `signed-out`: the session has ended; it is tried again when the page is looked at next;
 * - `resync`: what happened before now is not sent. Load the data of the page again; `live` follows at once.
 *   Told on every connection for which the last event is not known, so also on the first one without
 *   `lastEventId`: the data that is loaded then misses nothing.
 * @typedef {"connecting" | "live" | "offline" | "signed-out" | "resync"} LiveState
 */

/**
 * @typedef {object} LiveOptions
 * @property {(message: object) => void} onMessage is given each message about an order, in their order.
 * @property {(state: LiveState) => void} onState is given each change of the state; `offline` at every
 *   attempt that has failed.
 * @property {string} [lastEventId] the last event that the page shows, `<order id>:<version>`.
 */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
const PAUSE_AT_LIMIT = 60_000;
const OPEN_WITHIN = 10_000;
const PING_AFTER = 25_000;
const PONG_WITHIN = 10_000;

const NOT_AUTHENTICATED = 4401;
const LIMIT_EXCEEDED = 4429;

/** Keeps one connection, from `open` on, to the address that the page's body has in `data-sockets`. */
export class LiveConnection {
  #options;
  #lastEventId;
  #socket = null;
  #state = "";
  #failures = 0;
  #retryTimer = 0;
  #deadline = 0;

  /** @param {LiveOptions} options */
  constructor(options) {
    this.#options = options;
    this.#lastEventId = options.lastEventId ?? "";
  }

  /** @returns {LiveState | ""} The state; empty before the connection is opened. */
  get state() {
    return this.#state;
  }

  /** Connects, and stays connected. Call it once. */
  open() {
    this.#listen();
    this.#tell("connecting");
    this.#connect();
  }

  #listen() {
    window.addEventListener("online", () => this.#connectNow());
    window.addEventListener("offline", () => this.#lose());
    document.addEventListener("visibilitychange", () => this.#lookedAt());
    // A page with an open connection cannot be kept by the browser for the way back.
    window.addEventListener("pagehide", () => this.#drop());
    window.addEventListener("pageshow", (event) => event.persisted && this.#connectNow());
  }

  #connect() {
    this.#drop();
    const address = document.body.dataset.sockets;
    if (!address) return this.#tell("offline");
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = () => this.#subscribe();
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#lose(event.code);
    this.#expectWithin(OPEN_WITHIN);
  }

  #connectNow() {
    if (this.#state === "live" && this.#socket) return;
    this.#failures = 0;
    this.#connect();
  }

  #lookedAt() {
    if (document.visibilityState !== "visible") return;
    // A computer that has slept does not know yet whether its connections are alive.
    if (this.#state === "live" && this.#socket) this.#ping();
    else if (!this.#isConnecting()) this.#connectNow();
  }

  #isConnecting() {
    return this.#socket?.readyState === WebSocket.CONNECTING;
  }

  #subscribe() {
    const lastEventId = this.#lastEventId || undefined;
    this.#send({ type: "authenticate", lastEventId });
    this.#send({ type: "subscribe:orders" });
  }

  #receive(message) {
    this.#expectPing();
    if (message.type === "subscribed:orders") this.#begin();
    else if (message.type === "resync") this.#resync();
    else if (message.eventId) this.#hand(message);
  }

  #begin() {
    this.#failures = 0;
    this.#tell("live");
    if (!this.#lastEventId) this.#resync();
  }

  #resync() {
    this.#lastEventId = "";
    this.#tell("resync");
    this.#tell("live");
  }

  #hand(message) {
    this.#lastEventId = message.eventId;
    this.#options.onMessage(message);
  }

  #lose(code = 0) {
    this.#drop();
    if (code === NOT_AUTHENTICATED) return this.#tell("signed-out");
    this.#tell("offline");
    this.#retryTimer = setTimeout(() => this.#connect(), this.#pause(code));
    this.#failures += 1;
  }

  #pause(code) {
    const usual = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#failures, 10));
    const pause = code === LIMIT_EXCEEDED ? PAUSE_AT_LIMIT : usual;
    // Not all pages at once, where the server was away for all of them.
    return pause / 2 + (Math.random() * pause) / 2;
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#deadline);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /* A connection may be dead without an end: what does not answer a ping counts as lost. */

  #expectPing() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#ping(), PING_AFTER);
  }

  #ping() {
    this.#send({ type: "ping" });
    this.#expectWithin(PONG_WITHIN);
  }

  #expectWithin(milliseconds) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lose(), milliseconds);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #tell(state) {
    this.#state = state;
    this.#options.onState(state);
  }
}

/**
 * Shows a state in the indicator of the page (the template orders_app/connection.html).
 * @param {LiveState} state
 */
export function showLiveState(state) {
  const indicator = document.querySelector("[data-connection]");
  if (!indicator || state === "resync" || indicator.dataset.state === state) return;
  indicator.dataset.state = state;
  for (const text of indicator.querySelectorAll("[data-when]")) {
    text.hidden = text.dataset.when !== state;
  }
}
