"use strict";
// Colours by preference until somebody chooses; the choice lasts as long as the page is open.
{
  const choices = ["auto", "light", "dark"];
  const button = document.querySelector(".theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = choices[(choices.indexOf(now) + 1) % choices.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    button.querySelector("span").textContent = next;
  });
}
// Tables sort by a click on a heading: up, down, and back to the order of the page.
{
  const units = {
    "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "bytes": 1, "KiB": 1024, "MiB": 1024 ** 2, "GiB": 1024 ** 3, "TiB": 1024 ** 4,
  };
  const shown = (cell) => (cell.querySelector(".v, .badge") ?? cell).textContent.trim();
  const value = (cell) => {
    const found = shown(cell).replace("−", "-").replaceAll(",", "").match(/^[×+]?\s*(-?[\d.]+)\s*(\S+)?/);
    return found ? Number(found[1]) * (units[found[2]] ?? 1) : NaN;
  };
  const compare = (column, numeric) => (a, b) => {
    const [left, right] = [a.cells[column], b.cells[column]];
    if (!numeric) return shown(left).localeCompare(shown(right), "en", { numeric: true });
    const [x, y] = [value(left), value(right)];
    return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : x - y;
  };
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    if (rows.length < 3) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const way = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] ?? "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        if (way !== "none") head.setAttribute("aria-sort", way);
        const ordered = way === "none" ? rows : [...rows].sort(compare(column, head.classList.contains("num")));
        if (way === "descending") ordered.reverse();
        body.append(...ordered);
      });
    });
  }
}
