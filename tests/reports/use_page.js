// Sorts a table and switches the colours of the page in the first frame as a reader would.
"use strict";

window.addEventListener("load", () => {
  const frame = document.querySelector("iframe");
  const view = frame.contentWindow;
  const page = frame.contentDocument;
  const table = page.querySelector("#functions table");
  const first = () => [...table.tBodies[0].rows].map((row) => (row.cells[0].querySelector(".v") ?? row.cells[0]).textContent.trim());
  const heads = [...table.tHead.rows[0].cells];
  const numeric = heads.findIndex((head) => head.classList.contains("num"));
  const seen = { rows: first(), states: [], orders: [] };
  for (let turn = 0; turn < 3; turn += 1) {
    heads[numeric].querySelector("button").click();
    seen.states.push(heads[numeric].getAttribute("aria-sort"));
    seen.orders.push(first());
  }
  heads[0].querySelector("button").click();
  seen.words = first();

  const ground = () => view.getComputedStyle(page.body).backgroundColor;
  const button = page.querySelector(".theme");
  seen.grounds = [ground()];
  seen.names = [button.textContent];
  for (let turn = 0; turn < 3; turn += 1) {
    button.click();
    seen.grounds.push(ground());
    seen.names.push(button.textContent);
  }
  document.querySelector("pre").textContent = JSON.stringify([seen]);
});
