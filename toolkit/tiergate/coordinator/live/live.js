// What the server tells once a second, as it comes: no framework, and nothing from elsewhere.
"use strict";

const KEPT_S = 300;
const DASHES = ["", "6 4", "2 3", "9 3 2 3"];
const at = (id) => document.getElementById(id);
const history = new Map(); // tier → [{t, p95}]
let token = sessionStorage.getItem("tiergate-token") || "";

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function shown(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(digits)));
}

function duration(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"]];
  for (const [size, unit] of parts) if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

function show(status) {
  const { health } = status;
  document.body.className = health.state;
  at("headline").textContent = { ready: "Ready", degraded: "Degraded", starting: "Starting" }[health.state] || health.state;
  at("store").textContent = status.store;
  at("reasons").replaceChildren(...health.reasons.map((reason) => element("li", { textContent: reason })));
  showFigures(status);
  showTiers(status.tiers);
  showSessions(status.sessions);
  showEvents(status.events);
  remember(status);
  at("chart").replaceChildren(...chart());
  at("main").hidden = false;
}

function showFigures(status) {
  const figures = [
    ["Calls", shown(status.calls_rps), "/s"],
    ["p95", shown(status.response_ms.p95), "ms"],
    ["p99", shown(status.response_ms.p99), "ms"],
    ["Waiting", `${status.queue.waiting}`, `of ${shown(status.queue.limit)}`],
    ["Not answered", shown(status.lost), "since the start"],
    ["Up for", duration(status.uptime_s), ""],
  ];
  at("figures").replaceChildren(...figures.map(([name, value, unit]) =>
    element("div", {}, element("dt", { textContent: name }),
      element("dd", {}, `${value} `, element("small", { textContent: unit })))));
}

function showTiers(tiers) {
  at("tiers").replaceChildren(...tiers.map((tier) => {
    const full = tier.workers ? Math.min(1, tier.in_hand / tier.workers) : 0;
    const bar = element("meter-bar", { ariaHidden: "true" }, element("i"));
    bar.firstChild.style.width = `${100 * full}%`;
    const cells = [`${tier.workers} of ${tier.capacity}`, null, shown(tier.calls_rps),
      shown(tier.response_ms.p50), shown(tier.response_ms.p95), shown(tier.response_ms.p99)];
    return element("tr", {}, element("th", { scope: "row", textContent: tier.name }),
      ...cells.map((text) => text === null
        ? element("td", {}, bar, `${tier.in_hand}`)
        : element("td", { className: "num", textContent: text })));
  }));
}

function showSessions(sessions) {
  const items = sessions.map(({ id, state, momentum, trend, tasks }) => {
    const all = Object.values(tasks).reduce((sum, count) => sum + count, 0) - tasks.abandoned;
    const moved = momentum >= 0.005 ? `momentum ${shown(momentum, 2)}, ${trend}` : "no momentum";
    return element("li", {},
      element("span", { className: `state ${state}`, textContent: state }),
      id,
      element("small", { textContent: `${tasks.completed} of ${all} tasks done, ${tasks.active} active · ${moved}` }));
  });
  at("sessions").replaceChildren(...(items.length ? items : [element("li", { className: "empty", textContent: "No session was called for yet." })]));
}

function showEvents(events) {
  const items = events.map((event) => element("li", {},
    element("time", { dateTime: event.at, textContent: new Date(event.at).toLocaleTimeString("en-GB") }),
    element("b", { textContent: event.kind }),
    element("span", {}, [event.who, event.cause].filter(Boolean).join(": "), " ",
      element("small", { textContent: event.effect && `→ ${event.effect}` }))));
  at("events").replaceChildren(...(items.length ? items : [element("li", { className: "empty", textContent: "Nothing happened yet." })]));
}

function remember(status) {
  const now = status.uptime_s;
  for (const tier of status.tiers) {
    const seen = history.get(tier.name) || [];
    if (seen.length && seen[seen.length - 1].t > now) seen.length = 0; // another server answers
    seen.push({ t: now, p95: tier.response_ms.p95 });
    while (seen[0].t < now - KEPT_S) seen.shift();
    history.set(tier.name, seen);
  }
}

function chart() {
  const width = Math.max(280, at("chart").clientWidth - 26); // its own units are pixels, so that text stays readable
  const [height, left, bottom] = [220, 76, 22];
  const points = [...history.values()].flat().filter((point) => point.p95 > 0);
  if (!points.length) return [element("p", { className: "empty", textContent: "No call yet." })];
  const end = Math.max(...points.map((point) => point.t));
  const low = Math.floor(Math.log10(Math.min(...points.map((point) => point.p95))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...points.map((point) => point.p95)))));
  const x = (t) => left + (width - left - 8) * (1 - (end - t) / KEPT_S);
  const y = (ms) => 8 + (height - bottom - 8) * (1 - (Math.log10(ms) - low) / (high - low));
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "p95 response time by tier over the last five minutes" });
  for (let power = low; power <= high; power++) {
    svg.append(drawn("line", { x1: left, x2: width - 8, y1: y(10 ** power), y2: y(10 ** power), class: "rule" }));
    svg.append(drawn("text", { x: left - 6, y: y(10 ** power) + 4, "text-anchor": "end" }, power === high ? `${shown(10 ** power)} ms` : shown(10 ** power)));
  }
  svg.append(drawn("text", { x: left, y: height - 4 }, "5 min ago"), drawn("text", { x: width - 8, y: height - 4, "text-anchor": "end" }, "now"));
  const key = element("ul", { className: "key" });
  [...history].forEach(([tier, seen], number) => {
    const line = { class: `line${number % 4}`, "stroke-dasharray": DASHES[number % 4] };
    let path = "", drawing = false;
    for (const point of seen) {
      const place = `${x(point.t).toFixed(1)} ${y(point.p95).toFixed(1)}`;
      if (point.p95 > 0) path += drawing ? `L${place}` : `M${place}L${place}`;
      drawing = point.p95 > 0;
    }
    svg.append(drawn("path", { d: path, ...line }));
    const sample = drawn("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" });
    sample.append(drawn("path", { d: "M0 6L28 6", ...line }));
    key.append(element("li", {}, sample, tier));
  });
  return [key, svg];
}

function drawn(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Not EventSource: it cannot send the token.
async function listen() {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch("events", { headers, cache: "no-store" });
  if (response.status === 401) return askForToken();
  if (!response.ok) throw new Error(`status ${response.status}`);
  at("gate").hidden = true;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the server ended");
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) if (block.startsWith("data: ")) show(JSON.parse(block.slice(6)));
  }
}

function askForToken() {
  at("headline").textContent = "Locked";
  at("refused").hidden = !token;
  at("gate").hidden = false;
  at("main").hidden = true;
  return new Promise((resolve) => {
    at("gate").onsubmit = (event) => {
      event.preventDefault();
      token = at("token").value;
      sessionStorage.setItem("tiergate-token", token);
      resolve();
    };
  });
}

async function run() {
  for (;;) {
    try {
      await listen();
    } catch (error) {
      document.body.className = "down";
      at("headline").textContent = "No answer";
      at("reasons").replaceChildren(element("li", { textContent: `${error.message}; trying again` }));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

run();
