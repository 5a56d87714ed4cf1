"use strict";
for (const tools of document.querySelectorAll(".tools")) {
  const graph = document.getElementById(tools.dataset.for);
  const search = tools.querySelector("input");
  const out = tools.querySelector("button");
  const said = tools.querySelector("output");
  const boxes = [...graph.querySelectorAll(".call")].map((drawn, number) => ({
    drawn, number,
    x: parseFloat(drawn.getAttribute("x")),
    width: parseFloat(drawn.getAttribute("width")),
    y: parseFloat(drawn.getAttribute("y")),
    name: drawn.querySelector("title").textContent.split("\n", 1)[0],
    words: drawn.querySelector("title").textContent,
  }));
  const edge = 0.002; // of a percent: places are written with three digits
  const root = boxes[0];
  let focus = root;

  const holds = (outer, inner) =>
    outer.y <= inner.y && outer.x <= inner.x + edge && outer.x + outer.width >= inner.x + inner.width - edge;

  function zoom(to) {
    focus = to;
    for (const box of boxes) {
      const above = box.y < to.y && holds(box, to);
      const inside = holds(to, box);
      box.drawn.toggleAttribute("hidden", !above && !inside);
      if (!above && !inside) continue;
      box.drawn.setAttribute("x", above ? "0%" : `${100 * (box.x - to.x) / to.width}%`);
      const width = above ? 100 : 100 * box.width / to.width;
      box.drawn.setAttribute("width", `${width}%`);
      box.drawn.classList.toggle("above", above);
      if (width >= 1.1 && !box.drawn.querySelector("text")) {
        const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
        text.setAttribute("x", "4");
        text.setAttribute("y", "14");
        text.textContent = box.name;
        box.drawn.append(text);
      }
      const reach = above || width >= 1.1;
      if (reach) box.drawn.setAttribute("tabindex", "0"); else box.drawn.removeAttribute("tabindex");
    }
    out.disabled = to === root;
    const place = to === root ? " " : `#${graph.id}=${to.number}`;
    if (to !== root || location.hash.startsWith(`#${graph.id}=`)) history.replaceState(null, "", place === " " ? location.pathname + location.search : place);
    find();
  }

  function find() {
    const wanted = search.value.trim().toLowerCase();
    let share = 0;
    let count = 0;
    const covered = [];
    for (const box of boxes) {
      const hit = wanted !== "" && box.words.toLowerCase().includes(wanted);
      box.drawn.classList.toggle("hit", hit);
      if (!hit) continue;
      count += 1;
      if (!covered.some((other) => holds(other, box))) {
        covered.push(box);
        share += box.width;
      }
    }
    const of = (part) => `${(part).toFixed(1)} % of all work`;
    said.textContent = wanted === ""
      ? (focus === root ? "" : `${focus.name}: ${of(focus.width)}`)
      : `${count} ${count === 1 ? "call" : "calls"}, ${of(share)}`;
  }

  boxes.forEach((box) => {
    box.drawn.setAttribute("role", "button");
    box.drawn.setAttribute("aria-label", box.words.replaceAll("\n", ", "));
    box.drawn.addEventListener("click", () => zoom(box));
    box.drawn.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); zoom(box); }
    });
  });
  graph.setAttribute("role", "group");
  tools.parentElement.addEventListener("keydown", (event) => { if (event.key === "Escape") zoom(root); });
  search.addEventListener("input", find);
  out.addEventListener("click", () => { search.value = ""; zoom(root); });
  tools.hidden = false;
  const asked = location.hash.match(new RegExp(`^#${graph.id}=(\\d+)$`));
  const first = asked ? boxes[Number(asked[1])] : undefined;
  if (first) {
    graph.closest("details")?.setAttribute("open", "");
    zoom(first);
    graph.scrollIntoView();
  } else {
    zoom(root);
  }
}
