// Measures the page inside frames of several widths, from outside, and writes what it found as text.
"use strict";

const rgb = (text) => {
  const parts = text.match(/[\d.]+/g).map(Number);
  return parts.length > 3 ? parts : [...parts, 1];
};
const over = (front, back) => back.map((value, i) => (i === 3 ? 1 : front[i] * front[3] + value * (1 - front[3])));
const luminance = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

function background(view, element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(rgb(view.getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
}

function faintest(view, document) {
  let worst = { contrast: 99, text: "" };
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || ["title", "desc"].includes(element.localName)) continue;
    const style = view.getComputedStyle(element);
    const ground = background(view, element);
    const ink = over(rgb(element.localName === "text" ? style.fill : style.color), ground);
    const found = contrast(ink, ground);
    if (found < worst.contrast) worst = { contrast: found, text: `${element.localName}.${element.getAttribute("class")}: ${text}` };
  }
  return worst;
}

function trapped(document) {
  // What is wider than its box and cannot be reached with the keyboard.
  return [...document.body.querySelectorAll("*")]
    .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === "auto")
    .filter((e) => e.tabIndex < 0 && !e.querySelector("a, summary"))
    .map((e) => e.className);
}

function measure(frame) {
  const view = frame.contentWindow;
  const document = frame.contentDocument;
  for (const details of document.querySelectorAll("details")) details.open = true;
  const root = document.documentElement;
  return {
    client: root.clientWidth,
    scroll: root.scrollWidth,
    ground: rgb(view.getComputedStyle(document.body).backgroundColor),
    charts: [...document.querySelectorAll("svg.chart")].filter((e) => e.getBoundingClientRect().width > 0).length,
    faintest: faintest(view, document),
    trapped: trapped(document),
  };
}

window.addEventListener("load", () => {
  const frames = [...document.querySelectorAll("iframe")];
  document.querySelector("pre").textContent = JSON.stringify(frames.map(measure));
});
