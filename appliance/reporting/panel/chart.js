// The equity's course above, the fall from its highest below, on one time axis. A point is [wall_ms, cents, fall_ppm].
const SPACE = "http://www.w3.org/2000/svg";
const EDGE = { top: 10, right: 74, bottom: 24, left: 4 };
const FALL_SHARE = 0.24;

function shape(parent, name, attributes, text) {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

// The round step (1, 2 or 5 times a power of ten) that cuts a span into about so many parts.
function roundStep(span, parts) {
  const rough = Math.max(span / parts, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

const money = (cents, digits) =>
  (cents / 100).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

function clock(wallMs, spanMs) {
  const options = spanMs > 2 * 86400e3 ? { month: "short", day: "numeric" }
    : { hour: "2-digit", minute: "2-digit", ...(spanMs < 600e3 ? { second: "2-digit" } : {}), hourCycle: "h23" };
  return new Intl.DateTimeFormat(undefined, options).format(wallMs);
}

export class Chart {
  constructor(svg, frame, reading) {
    this.svg = svg;
    this.reading = reading;
    this.points = [];
    this.chosen = null;
    new ResizeObserver(() => this.draw()).observe(frame);
    svg.addEventListener("pointermove", (event) => this.choose(this.nearest(event.offsetX)));
    svg.addEventListener("pointerleave", () => this.choose(null));
    svg.addEventListener("blur", () => this.choose(null));
    svg.addEventListener("keydown", (event) => this.key(event));
  }

  show(points) {
    this.points = points;
    this.draw();
  }

  key(event) {
    const last = this.points.length - 1;
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };
    if (!(event.key in moves) || last < 0) return;
    event.preventDefault();
    this.choose(Math.min(Math.max((this.chosen ?? last) + moves[event.key], 0), last));
  }

  choose(index) {
    if (index === this.chosen) return;
    this.chosen = index;
    this.draw();
  }

  nearest(x) {
    if (!this.scale) return null;
    let best = 0;
    this.points.forEach((point, index) => {
      if (Math.abs(this.scale.x(point) - x) < Math.abs(this.scale.x(this.points[best]) - x)) best = index;
    });
    return best;
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.svg;
    this.svg.replaceChildren();
    this.scale = null;
    this.svg.setAttribute("viewBox", `0 0 ${width || 1} ${height || 1}`);
    if (this.points.length < 2 || !width) {
      shape(this.svg, "text", { x: 4, y: 24 }, "The course appears after the first seconds.");
      this.svg.setAttribute("aria-label", "No course of the equity yet");
      return;
    }
    this.measure(width, height);
    this.axes(width);
    this.curves();
    this.read();
  }

  measure(width, height) {
    const cents = this.points.map((point) => point[1]);
    const lowest = Math.min(...cents), highest = Math.max(...cents);
    const slack = Math.max((highest - lowest) * 0.1, 100);
    const low = lowest - slack, high = highest + slack;
    const from = this.points[0][0], span = Math.max(this.points.at(-1)[0] - from, 1);
    const deepest = Math.max(...this.points.map((point) => point[2]), 100);
    const bottom = height - EDGE.bottom, fallTop = bottom - (bottom - EDGE.top) * FALL_SHARE;
    const equityBottom = fallTop - 12;
    const right = width - EDGE.right;
    this.scale = {
      low, high, from, span, deepest, bottom, fallTop, equityBottom, right,
      x: (point) => EDGE.left + (point[0] - from) / span * (right - EDGE.left),
      y: (value) => equityBottom - (value - low) / (high - low) * (equityBottom - EDGE.top),
      fall: (ppm) => fallTop + ppm / deepest * (bottom - fallTop),
    };
  }

  axes(width) {
    const s = this.scale;
    const step = roundStep(s.high - s.low, 6);
    for (let value = Math.ceil(s.low / step) * step; value <= s.high; value += step) {
      shape(this.svg, "line", { class: "grid", x1: EDGE.left, x2: s.right, y1: s.y(value), y2: s.y(value) });
      shape(this.svg, "text", { x: s.right + 8, y: s.y(value) + 4 }, money(value, step < 100 ? 2 : 0));
    }
    shape(this.svg, "line", { class: "grid", x1: EDGE.left, x2: s.right, y1: s.fallTop, y2: s.fallTop });
    shape(this.svg, "text", { x: s.right + 8, y: s.bottom }, `−${(s.deepest / 1e4).toFixed(2)} %`);
    const marks = Math.max(Math.min(Math.floor(width / 130), 7), 2);
    for (let mark = 0; mark <= marks; mark += 1) {
      const x = EDGE.left + mark / marks * (s.right - EDGE.left);
      const anchor = mark === 0 ? "start" : mark === marks ? "end" : "middle";
      shape(this.svg, "text", { x, y: s.bottom + 18, "text-anchor": anchor }, clock(s.from + mark / marks * s.span, s.span));
    }
  }

  curves() {
    const s = this.scale, points = this.points;
    const path = (height) => points.map((point, index) => `${index ? "L" : "M"}${s.x(point).toFixed(1)} ${height(point).toFixed(1)}`).join("");
    const course = path((point) => s.y(point[1]));
    const closing = (level) => `L${s.right.toFixed(1)} ${level}L${EDGE.left} ${level}Z`;
    shape(this.svg, "path", { class: "area", d: course + closing(s.equityBottom) });
    shape(this.svg, "path", { class: "line", d: course });
    shape(this.svg, "path", { class: "fall", d: path((point) => s.fall(point[2])) + closing(s.fallTop) });
  }

  read() {
    const s = this.scale, last = this.points.at(-1);
    const index = this.chosen === null ? null : Math.min(this.chosen, this.points.length - 1);
    const point = index === null ? last : this.points[index];
    const when = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" }).format(point[0]);
    const text = `${when}: ${money(point[1], 2)}, ${(point[2] / 1e4).toFixed(2)} % below highest`;
    if (index !== null) {
      shape(this.svg, "line", { class: "cursor", x1: s.x(point), x2: s.x(point), y1: EDGE.top, y2: s.bottom });
    }
    shape(this.svg, "circle", { class: "dot", cx: s.x(point), cy: s.y(point[1]), r: 4.5 });
    this.reading.textContent = index === null ? "" : text;
    this.svg.setAttribute("aria-label", `Equity and drawdown. ${text}`);
  }
}
