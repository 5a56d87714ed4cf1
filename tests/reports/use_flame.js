// Uses the flame graph of the page in the first frame as a reader would, and writes what it saw as text.
"use strict";

window.addEventListener("load", () => {
  const frame = document.querySelector("iframe");
  const view = frame.contentWindow;
  const page = frame.contentDocument;
  const graph = page.getElementById("by-operation");
  const tools = page.querySelector('.tools[data-for="by-operation"]');
  const search = tools.querySelector("input");
  const out = tools.querySelector("button");
  const said = tools.querySelector("output");
  const boxes = [...graph.querySelectorAll(".call")];
  const named = (name) => boxes.find((box) => box.querySelector("title").textContent.startsWith(`${name}\n`));
  const shown = () => boxes.filter((box) => view.getComputedStyle(box).display !== "none").length;
  const wide = (name) => Math.round(1000 * named(name).getBoundingClientRect().width / graph.getBoundingClientRect().width) / 10;
  const seen = { all: boxes.length, before: shown(), width: wide("_cosine"), disabled: out.disabled };

  search.value = "LOG";
  search.dispatchEvent(new view.Event("input"));
  seen.hits = graph.querySelectorAll(".hit").length;
  seen.found = said.textContent;
  search.value = "";
  search.dispatchEvent(new view.Event("input"));

  named("log").dispatchEvent(new view.KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  seen.zoomed = wide("log");
  seen.above = wide("_cosine");
  seen.left = shown();
  seen.link = view.location.hash;
  seen.tells = said.textContent;
  graph.dispatchEvent(new view.KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  seen.after = shown();
  seen.again = wide("_cosine");
  seen.unlinked = view.location.hash;

  const second = document.createElement("iframe");
  second.width = "1280";
  second.height = "900";
  second.src = `/report.html${seen.link}`;
  second.addEventListener("load", () => {
    const linked = second.contentDocument.getElementById("by-operation");
    const box = [...linked.querySelectorAll(".call")][Number(seen.link.split("=")[1])];
    seen.linked = Math.round(100 * box.getBoundingClientRect().width / linked.getBoundingClientRect().width);
    document.querySelector("pre").textContent = JSON.stringify([seen]);
  });
  document.body.append(second);
});
