// Draws what /events says. Text arrives ready to show and is only ever set as text, never as markup.
import { Chart } from "/chart.js";

const STALE_AFTER_MS = 3000;
const RETRY_MS = 3000;
const ENTRIES_KEPT = 200;
const POINTS_KEPT = 1200;
const FILTERS = [
  ["All", (kind) => kind !== "equity"], ["Decisions", (kind) => kind === "intent"], ["Orders", (kind) => kind === "order"],
  ["Fills", (kind) => kind === "fill"], ["Modes", (kind) => kind === "mode"],
  ["Other", (kind) => !["intent", "order", "fill", "mode"].includes(kind)],
];
const KIND_WORDS = { intent: "decision", parameters: "settings" };
const MODE_TONES = { NORMAL: "good", REDUCED: "caution", PAUSED: "caution", EMERGENCY: "bad", HALTED: "bad", FAULT: "bad" };

const at = (id) => document.getElementById(id);
const chart = new Chart(at("chart"), at("chart-frame"), at("chart-reading"));
let entries = new Map();
let points = [];
let filter = 0;
let state = {};
let heardAt = null;

function write(id, text) {
  const node = at(id);
  if (node.textContent !== text) node.textContent = text;
}

function element(name, text, attributes = {}) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function replace(id, nodes, empty) {
  const parent = at(id);
  parent.replaceChildren(...(nodes.length || !empty ? nodes : [empty]));
}

function span(ms) {
  const seconds = Math.max(Math.floor(ms / 1000), 0);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [size, unit] = parts[first];
  const next = parts[first + 1];
  const rest = next ? Math.floor(seconds % size / next[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${next[1]}` : ""}`;
}

function moment(wallMs) {
  const today = new Date(wallMs).toDateString() === new Date().toDateString();
  const day = today ? {} : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(undefined, { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(wallMs);
}

function showMode() {
  write("mode", state.mode ?? "—");
  at("mode").dataset.tone = MODE_TONES[state.mode] ?? "";
  write("mode-text", state.mode_text ?? "No word from the trader yet.");
  write("since", state.mode_since_wall_ms ? `${moment(state.mode_since_wall_ms)} (${span(state.wall_ms - state.mode_since_wall_ms)})` : "—");
  write("device", state.device ?? "waiting for the trader");
  write("plate-device", (state.device ?? "").toUpperCase());
  at("synthetic").hidden = !state.synthetic;
  document.title = state.mode ? `${state.mode} · ${state.device}` : "Bot4 Edge";
}

function showBox() {
  const box = state.box ?? {};
  write("estop", box.estop ?? "not known");
  write("permission", box.permission ? `${box.permission} by the guardian` : "not known");
  write("relay", box.relay ?? "not known");
  at("relay").dataset.tone = box.relay?.startsWith("dropped") ? "bad" : "";
  at("estop").dataset.tone = box.estop && box.estop !== "released" ? "bad" : "";
  at("bench").hidden = !state.bench;
  at("look-only").hidden = Boolean(state.bench);
  document.body.dataset.bench = Boolean(state.bench);
}

function showLatencies() {
  replace("latencies", (state.latencies ?? []).map((one) => {
    const figure = element("figure", undefined, { class: "latency" });
    const most = Math.max(...one.bars.map((bar) => bar.share_ppm), 1);
    const bars = element("div", undefined, { role: "img", "aria-label": `${one.name}: half ${one.median}, 99 of 100 ${one.most}` });
    for (const bar of one.bars) {
      const column = element("i", undefined, { title: `< ${bar.below}: ${(bar.share_ppm / 1e4).toFixed(2)} %` });
      column.style.height = `${bar.share_ppm ? Math.max(100 * bar.share_ppm / most, 3) : 0}%`;
      bars.append(column);
    }
    const scale = element("p", undefined, { class: "scale" });
    scale.append(element("span", `< ${one.bars[0].below}`), element("span", `< ${one.bars.at(-1).below}`));
    const caption = element("figcaption");
    caption.append(element("b", one.name), `half ${one.median} · 99 % ${one.most} · ${one.total} times`);
    figure.append(caption, bars, scale);
    return figure;
  }), element("p", "Nothing measured yet.", { class: "empty" }));
}

function showAudit() {
  replace("audit", (state.audit ?? []).slice().reverse().map((one) => {
    const line = element("li");
    line.append(element("time", moment(one.wall_ms), { datetime: new Date(one.wall_ms).toISOString() }), element("b", one.event));
    if (one.detail) line.append(element("small", one.detail));
    return line;
  }), element("li", "Nothing shown by the guardian.", { class: "empty" }));
}

// Simulated pins only: on a real box there is no such route, and the server refuses every method but GET.
async function press(button) {
  write("bench-answer", `${button}: pressing…`);
  const answer = await fetch(`/bench/${button}`, { method: "POST", headers: { "X-Bot4-Press": "1" } }).then((got) => got.text(), String);
  // Behind "ok" stands the clock's reading, which is for measuring and not for reading.
  write("bench-answer", `${button}: ${answer.trim().replace(/^ok \d+$/, "ok")}`);
}

function showFigures() {
  for (const [id, text] of [["equity", state.equity], ["cash", state.cash], ["day-pnl", state.day_pnl], ["drawdown", state.drawdown]]) write(id, text ?? "—");
  at("day-pnl").dataset.sign = state.day_sign ?? 0;
  write("head-sequence", state.head_sequence ?? "—");
  write("head-hash", state.head_hash ? state.head_hash.slice(0, 16) : "—");
}

function showLimits() {
  const nodes = (state.exposure ?? []).map((one) => {
    const line = element("li");
    const share = Math.min(Math.max(one.used_ppm / 1e4, 0), 100);
    const meter = element("div", undefined, {
      role: "meter", "aria-label": one.limit, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": share, "aria-valuetext": one.text,
      "data-level": share >= 100 ? "full" : share >= 70 ? "high" : "low",
    });
    meter.append(element("i"));
    meter.firstChild.style.width = `${share}%`;
    line.append(element("span", one.limit), element("span", one.text), meter);
    return line;
  });
  replace("limits", nodes, element("li", "No limits reported yet.", { class: "empty" }));
}

function showPositions() {
  const nodes = (state.positions ?? []).map((one) => {
    const row = element("tr");
    const name = one.side === "short" ? `${one.instrument} (short)` : one.instrument;
    row.append(...[name, one.size, one.price, one.value].map((text) => element("td", text)));
    return row;
  });
  const none = element("tr");
  none.append(element("td", "No open position.", { colspan: 4, class: "empty" }));
  replace("positions", nodes, none);
}

function showMachine() {
  const dropped = (state.dropped ?? []).filter((one) => one.count !== "0").map((one) => `${one.queue} ${one.count}`).join(", ");
  const facts = [
    ["Market data age", state.feed_age], ["Journal latency", state.journal_latency],
    ["Tick to order, median", state.tick_to_order_p50], ["Tick to order, 99 %", state.tick_to_order_p99],
    ["Tick to order, 99.9 %", state.tick_to_order_p99_9], ["Events", state.events], ["Orders", state.orders],
    ["Fills", state.fills], ["Rejected", state.rejected], ["Dropped", state.mode ? dropped || "none" : undefined],
    ["Case", state.box?.case], ["Processor", state.box?.temperature],
    ["Running for", state.started_wall_ms && state.wall_ms ? span(state.wall_ms - state.started_wall_ms) : undefined],
  ];
  replace("facts", facts.map(([name, text]) => {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", text ?? "–"));
    return pair;
  }));
  const checks = (state.health ?? []).map((one) => {
    const line = element("li", undefined, { "data-good": one.good });
    line.append(element("i", one.good ? "✓" : "✗", { "aria-label": one.good ? "good" : "not good" }), element("b", one.check), element("span", one.detail));
    return line;
  });
  replace("health", checks, element("li", "No checks reported yet.", { class: "empty" }));
}

function showEntries() {
  const wanted = [...entries.values()].filter((entry) => FILTERS[filter][1](entry.kind)).sort((a, b) => b.sequence - a.sequence);
  const nodes = wanted.slice(0, ENTRIES_KEPT / 2).map((entry) => {
    const line = element("li", undefined, { "data-tone": entry.tone });
    const when = element("time", moment(entry.wall_ms), { datetime: new Date(entry.wall_ms).toISOString() });
    line.append(when, element("b", entry.title), element("em", KIND_WORDS[entry.kind] ?? entry.kind));
    if (entry.detail) line.append(element("small", entry.detail));
    return line;
  });
  replace("entries", nodes, element("li", "Nothing yet.", { class: "empty" }));
}

function keep(added) {
  for (const entry of added) entries.set(entry.sequence, entry);
  for (const [, wants] of FILTERS.slice(1)) {
    const kept = [...entries.values()].filter((entry) => wants(entry.kind)).sort((a, b) => a.sequence - b.sequence);
    for (const entry of kept.slice(0, -ENTRIES_KEPT)) entries.delete(entry.sequence);
  }
}

// What is old must not look like the present.
function showFreshness() {
  const ageMs = heardAt === null || state.age_ms === null || state.age_ms === undefined ? null : state.age_ms + performance.now() - heardAt;
  const stale = ageMs === null || ageMs > STALE_AFTER_MS || state.stale;
  document.body.dataset.stale = stale;
  // The lamp is the guardian's, and the reporter sees it past a dead trader: only this page's own line must be alive.
  const cut = heardAt === null || performance.now() - heardAt > STALE_AFTER_MS;
  document.body.dataset.lamp = cut ? "unknown" : state.lamp ?? "unknown";
  write("lamp-text", cut || !state.lamp_text ? "not known from here: look at the box" : state.lamp_text);
  write("box-title", `The front of the appliance. Lamp: ${at("lamp-text").textContent}.`);
  at("pulse").dataset.state = stale ? (ageMs === null ? "waiting" : "stale") : "live";
  write("pulse-text", ageMs === null ? "waiting" : stale ? `silent for ${span(ageMs)}` : "live");
  at("stale").hidden = !stale || heardAt === null;
  if (!at("stale").hidden) {
    const known = ageMs === null ? "Nothing has been heard from the trader yet." : `Nothing heard for ${span(ageMs)}: everything below is old.`;
    write("stale", `${known} Trust the lamp on the box.`);
  }
}

function take(update) {
  state = update.state;
  heardAt = performance.now();
  if (update.entries_all) entries = new Map();
  const added = update.entries_all ?? update.entries_new ?? [];
  keep(added);
  if (update.points_all) points = update.points_all;
  if (update.points_new) points = points.concat(update.points_new).slice(-POINTS_KEPT);
  for (const show of [showMode, showBox, showFigures, showLatencies, showAudit, showLimits, showPositions, showMachine, showFreshness]) show();
  if (update.entries_all || added.length) showEntries();
  if (update.points_all || update.points_new) chart.show(points);
}

// The browser reconnects a broken stream by itself, but not a refused one: then ask once and try again.
function listen() {
  const source = new EventSource("/events");
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    fetch("/state.json").then((answer) => answer.json()).then(take, () => undefined);
    setTimeout(listen, RETRY_MS);
  };
}

FILTERS.forEach(([name], index) => {
  const button = element("button", name, { type: "button", "aria-pressed": index === filter });
  button.addEventListener("click", () => {
    filter = index;
    [...at("filters").children].forEach((other, place) => other.setAttribute("aria-pressed", place === index));
    showEntries();
  });
  at("filters").append(button);
});
for (const node of document.querySelectorAll("[data-press]")) {
  node.addEventListener("click", () => { if (state.bench) press(node.dataset.press); });
}
write("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
setInterval(showFreshness, 500);
listen();
