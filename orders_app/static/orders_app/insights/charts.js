/**
 * The charts of the page, by Apache ECharts as SVG. Colours are the tokens of the design, so they follow the
 * theme, on paper too. Each has a table beside it with the same figures.
 */

const MOST_BARS = 62;
const PAPER_WIDTH = 680;
const INK = "var(--ink-soft)";
const LINE = "var(--line)";
const NOW = "var(--accent)";
const BEFORE = "var(--neutral-line)";
const FONT = getComputedStyle(document.body).fontFamily;
const SLOW = "var(--waiting-line)";

const language = document.documentElement.lang || "en";
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const full = new Intl.NumberFormat(language);
const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The charts in a document: elements with `data-chart`. */
export class Charts {
  #charts = new Map();
  #data = null;
  #measure = "revenue";

  /** @param {Document} page */
  constructor(page) {
    for (const element of page.querySelectorAll("[data-chart]")) {
      const chart = globalThis.echarts.init(element, null, { renderer: "svg" });
      this.#charts.set(element.dataset.chart, chart);
      new ResizeObserver(() => chart.resize()).observe(element);
    }
  }

  /** Draws these figures. @param {object} data */
  draw(data) {
    this.#data = data;
    this.#set("course", courseOf(data, this.#measure));
    this.#set("confirmations", confirmationsOf(data));
    this.#set("funnel", funnelOf(data));
  }

  /** Shows this figure in the chart of the course. @param {string} measure */
  show(measure) {
    this.#measure = measure;
    this.#set("course", courseOf(this.#data, measure));
  }

  /** Makes the charts as wide as paper. */
  fitPaper() {
    for (const chart of this.#charts.values()) chart.resize({ width: PAPER_WIDTH });
  }

  /** Makes the charts as wide as their place again. */
  fitScreen() {
    for (const chart of this.#charts.values()) chart.resize({ width: "auto" });
  }

  #set(name, option) {
    this.#charts.get(name).setOption(option, { notMerge: true });
  }
}

function courseOf(data, measure) {
  const { labels, measures } = data.course;
  const isMoney = measure === "revenue";
  const type = labels.length <= MOST_BARS ? "bar" : "line";
  const amount = isMoney ? moneyOf(data.currency) : (number) => full.format(number);
  return {
    ...common(amount),
    xAxis: stepAxis(labels),
    yAxis: valueAxis((number) => compact.format(number)),
    series: [
      { name: data.now, type, data: measures[measure].now, ...filled(NOW) },
      ...comparison(data.before, measures[measure].before),
    ],
  };
}

function confirmationsOf(data) {
  const { labels, lines } = data.confirmations;
  return {
    ...common(duration),
    xAxis: stepAxis(labels),
    yAxis: valueAxis(duration),
    series: [
      { name: data.median, ...line(NOW), data: lines.p50.now },
      { name: data.slowest, ...line(SLOW), data: lines.p95.now },
      ...comparison(data.medianBefore, lines.p50.before),
    ],
  };
}

function funnelOf(data) {
  const { labels, now, before } = data.funnel;
  const label = { show: true, position: "right", color: INK, formatter: ({ value }) => full.format(value) };
  const bar = { type: "bar", barGap: "10%", barMaxWidth: 18 };
  const series = [{ name: data.now, data: now, label, ...bar, ...filled(NOW) }];
  if (hasFigures(before)) series.push({ name: data.before, data: before, ...bar, ...filled(BEFORE) });
  return {
    ...common((number) => full.format(number)),
    grid: { left: 8, right: 56, top: 36, bottom: 8, containLabel: true },
    xAxis: { type: "value", axisLabel: { show: false }, splitLine: { show: false } },
    yAxis: { ...stepAxis(labels), inverse: true },
    series,
  };
}

/** What all charts have; `worded` makes a text of a number. */
function common(worded) {
  return {
    animation: !isCalm,
    animationDuration: 300,
    animationDurationUpdate: 300,
    textStyle: { fontFamily: FONT, color: INK },
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: INK }, icon: "roundRect", itemWidth: 12, itemHeight: 12, itemGap: 14, inactiveColor: LINE },
    tooltip: {
      trigger: "axis",
      confine: true,
      className: "chart-tip",
      formatter: (points) => tip(points, worded),
      axisPointer: { type: "line", lineStyle: { color: BEFORE } },
    },
  };
}

function stepAxis(labels) {
  return {
    type: "category",
    data: labels,
    axisLabel: { color: INK, hideOverlap: true },
    axisLine: { lineStyle: { color: LINE } },
    axisTick: { show: false },
  };
}

function valueAxis(worded) {
  return {
    type: "value",
    min: 0,
    axisLabel: { color: INK, formatter: worded },
    splitLine: { lineStyle: { color: LINE } },
  };
}

function comparison(name, numbers) {
  if (!hasFigures(numbers)) return [];
  return [{ name, ...line(BEFORE), lineStyle: { color: BEFORE, width: 2, type: "dashed" }, data: numbers }];
}

function hasFigures(numbers) {
  return numbers.some((number) => number);
}

function line(color) {
  return { type: "line", symbolSize: 5, showSymbol: true, itemStyle: { color }, lineStyle: { color, width: 2 }, emphasis: { disabled: true } };
}

function filled(color) {
  return {
    itemStyle: { color, borderRadius: 2 },
    lineStyle: { color, width: 2 },
    areaStyle: { color, opacity: 0.12 },
    showSymbol: false,
    barMaxWidth: 28,
    emphasis: { disabled: true },
  };
}

/** The tooltip as elements: text in HTML would need styles that the page's policy forbids. */
function tip(points, worded) {
  const list = document.createElement("dl");
  list.append(element("dt", points[0].axisValueLabel));
  for (const { seriesName, value } of points) {
    if (value !== null && value !== undefined) list.append(element("dd", `${seriesName}: ${worded(value)}`));
  }
  return list;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function moneyOf(currency) {
  const amount = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "code" });
  return (number) => amount.format(number);
}

function duration(seconds) {
  if (seconds === 0) return "0";
  if (seconds < 1) return `${full.format(Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${full.format(Math.round(seconds * 10) / 10)} s`;
  if (seconds < 3600) return `${full.format(Math.round(seconds / 6) / 10)} min`;
  if (seconds < 86400) return `${full.format(Math.round(seconds / 360) / 10)} h`;
  return `${full.format(Math.round(seconds / 8640) / 10)} d`;
}
