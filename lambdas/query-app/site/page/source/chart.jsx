// A result as a chart, if the query says what to draw. The table next to it contains the same data and more, for everybody.

import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { heading, isNumeric, readable } from "./rows.js";

const HEIGHT = 260;
/** More bars than these cannot be distinguished. */
const MOST_BARS = 400;
const TIMES = new Set(["date", "timestamp", "month"]);

const index = (run, name) => run.columns.findIndex((column) => column.name === name);

/** Whether the columns that the query names exist and can be drawn. */
export function isDrawable(run, { kind, x, y }) {
  const isThere = index(run, x) >= 0 && isNumeric(run.columns[index(run, y)]?.type);
  const isLegible = kind === "bar" ? run.rows.length <= MOST_BARS : kind !== "scatter" || isNumeric(run.columns[index(run, x)]?.type);
  return isThere && isLegible && run.rows.length > 1;
}

export function Chart({ run, chart }) {
  const host = useRef(null);
  const { data, names, labels, scale } = useMemo(() => drawing(run, chart), [run.rows, chart]);
  const summary = useMemo(() => describe(run, chart), [run.rows, chart]);

  useEffect(() => {
    const element = host.current;
    let plot = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(element, { chart, names, labels, scale }), data, element);
    };
    draw();
    // Its width is in pixels, and its colors are read once.
    let width = element.clientWidth;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      plot.setSize({ width, height: HEIGHT });
    });
    resized.observe(element);
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      scheme.removeEventListener("change", draw);
      plot.destroy();
    };
  }, [data]);

  return (
    <figure class="chart" role="img" aria-label={summary}>
      <div ref={host} aria-hidden="true" />
    </figure>
  );
}

/** The drawn values, as numbers: this is the only place where an exact value may be rounded, to a pixel. */
function drawing(run, chart) {
  const [x, y] = [index(run, chart.x), index(run, chart.y)];
  const type = run.columns[x].type;
  const scale = TIMES.has(type) ? "time" : isNumeric(type) && chart.kind !== "bar" ? "number" : "category";
  let points = run.rows.filter((row) => row[x] !== null).map((row) => [scale === "category" ? 0 : position(row[x], scale), row]);
  // From left to right, whatever the order of the rows; categories keep the query's order.
  if (scale !== "category") points = points.sort((a, b) => a[0] - b[0]);
  return {
    data: [points.map(([at], number) => (scale === "category" ? number : at)), points.map(([, row]) => (row[y] === null ? null : Number(row[y])))],
    names: [heading(run.columns[x]), heading(run.columns[y])],
    labels: scale === "category" ? points.map(([, row]) => readable(row[x], type, { grouped: false })) : null,
    scale,
  };
}

function position(value, scale) {
  if (scale === "number") return Number(value);
  const text = String(value).replace(" ", "T");
  const full = /^\d{4}-\d{2}$/.test(text) ? `${text}-01` : text;
  // A day has no time zone; it is drawn as written.
  return Date.parse(full.includes("T") ? `${full.replace(/(Z|[+-]\d\d:?\d\d)$/, "")}Z` : `${full}T00:00:00Z`) / 1000;
}

function options(host, { chart, names, labels, scale }) {
  const style = getComputedStyle(host);
  const colour = (name) => style.getPropertyValue(name).trim();
  const isBar = chart.kind === "bar";
  const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });
  const full = new Intl.NumberFormat(undefined, { maximumFractionDigits: 4 });
  const axis = {
    stroke: colour("--muted"), font: `12px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1, size: 4 },
  };
  const category = (value) => (Number.isInteger(value) ? (labels[value] ?? "") : "");
  const xAxis = labels ? { ...axis, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100], space: 64, values: (_, ticks) => ticks.map(category) } : { ...axis, grid: { show: false } };
  const xValue = labels
    ? (_, value) => (value === null ? "–" : category(value))
    : scale === "time"
      ? (_, value) => (value === null ? "–" : new Date(value * 1000).toISOString().slice(0, 16).replace("T00:00", "").replace("T", " "))
      : (_, value) => (value === null ? "–" : full.format(value));
  return {
    width: host.clientWidth, height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { live: true },
    cursor: { points: { size: 7 }, drag: { x: false, y: false } },
    scales: { x: { time: scale === "time", ...(isBar && { range: (_, low, high) => barRange(low, high) }) }, y: { range: fromZero } },
    axes: [xAxis, { ...axis, size: 56, values: (_, ticks) => ticks.map((it) => compact.format(it)) }],
    series: [
      { label: names[0], value: xValue },
      { label: names[1], value: (_, value) => (value === null ? "–" : full.format(value)), ...SHAPES[chart.kind](colour) },
    ],
  };
}

const SHAPES = {
  line: (colour) => ({ stroke: colour("--chart"), width: 2, fill: colour("--chart-fill"), points: { show: false } }),
  bar: (colour) => ({ fill: colour("--chart"), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.7, 64], radius: 0.15 }) }),
  scatter: (colour) => ({ stroke: colour("--chart"), points: { show: true, size: 6, width: 1, fill: colour("--chart-fill") }, paths: () => null }),
};

/** Half a bar of space on either side. */
const barRange = (low, high) => (high > low && high - low > 10_000 ? [low - 43_200, high + 43_200] : [low - 0.6, high + 0.6]);

/** Amounts start at zero, so that heights are proportional. */
function fromZero(_, low, high) {
  if (low === null || high === null) return [0, 1];
  const [bottom, top] = [Math.min(0, low), Math.max(0, high)];
  const room = (top - bottom || 1) * 0.08;
  return [bottom && bottom - room, top && top + room];
}

const WORDS = { line: "Line chart", bar: "Bar chart", scatter: "Dots" };

/** The chart in one sentence, for people who cannot see it. */
function describe(run, chart) {
  const x = index(run, chart.x);
  const y = index(run, chart.y);
  const label = (at) => heading(run.columns[at]);
  const rows = run.rows.filter((row) => row[y] !== null);
  if (rows.length === 0) return `${WORDS[chart.kind]} of ${label(y)} by ${label(x)}`;
  const least = rows.reduce((a, b) => (Number(b[y]) < Number(a[y]) ? b : a));
  const most = rows.reduce((a, b) => (Number(b[y]) > Number(a[y]) ? b : a));
  const say = (row) => `${readable(row[y], run.columns[y].type)} (${readable(row[x], run.columns[x].type)})`;
  return `${WORDS[chart.kind]} of ${label(y)} by ${label(x)}: from ${say(least)} to ${say(most)}`;
}
