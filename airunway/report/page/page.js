"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const colours = () => [
    { selector: "node", style: { label: "data(text)", shape: "round-rectangle", width: "data(width)", height: 44, "text-wrap": "wrap",
      "text-valign": "center", "font-size": 12, "background-color": css("back"), color: css("text"), "border-width": 1, "border-color": css("line") } },
    { selector: "edge", style: { width: 1.2, "line-color": css("soft"), "target-arrow-color": css("soft"), "target-arrow-shape": "triangle",
      "arrow-scale": 0.8, "curve-style": "bezier", opacity: 0.55 } },
    ...["create", "update", "replace", "delete"].map((o) => ({ selector: `node.${o}`, style: { "border-color": css(o), "border-width": 3 } })),
    { selector: ".near", style: { "line-color": css("mark"), "target-arrow-color": css("mark"), opacity: 1, width: 2 } },
    { selector: "node.chosen", style: { "border-color": css("mark"), "border-width": 4 } },
  ];
  const graph = cytoscape({
    container: document.getElementById("canvas"),
    elements: [
      ...data.nodes.map((n) => ({ data: { id: n.id, text: `${n.label}\n${n.kind}`, width: 20 + 7 * Math.max(n.label.length, n.kind.length) }, classes: n.operation })),
      ...data.edges.map(([from, to]) => ({ data: { id: `${from}>${to}`, source: from, target: to } })),
    ],
    style: colours(),
    layout: { name: "dagre", rankDir: "RL", nodeSep: 12, rankSep: 40, edgeSep: 4 },
    minZoom: 0.02, maxZoom: 3,
  });
  const buttons = new Map([...document.querySelectorAll("#list button")].map((b) => [b.dataset.id, b]));
  const nodes = new Map(data.nodes.map((n) => [n.id, n]));

  function choose(id, focus) {
    const node = nodes.get(id);
    graph.elements().removeClass("chosen near");
    const element = graph.getElementById(id);
    element.addClass("chosen").connectedEdges().addClass("near");
    const seen = graph.extent(), box = element.boundingBox();
    const inside = box.x1 >= seen.x1 && box.x2 <= seen.x2 && box.y1 >= seen.y1 && box.y2 <= seen.y2;
    if (focus && !inside) graph.animate({ center: { eles: element }, duration: 150 });
    for (const [key, button] of buttons) button.setAttribute("aria-pressed", String(key === id));
    buttons.get(id).scrollIntoView({ block: "nearest" });
    document.getElementById("name").textContent = `${node.label} (${node.kind})`;
    const waits = data.edges.filter(([from]) => from === id).map(([, to]) => nodes.get(to).label);
    document.getElementById("waits").textContent = waits.length ? `waits for ${waits.join(", ")}` : "waits for nothing";
    document.getElementById("yaml").textContent = node.yaml;
  }
  graph.on("tap", "node", (event) => choose(event.target.id(), false));
  for (const [id, button] of buttons) button.addEventListener("click", () => choose(id, true));
  document.getElementById("list").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const shown = [...buttons.values()].filter((b) => !b.parentElement.hidden);
    const next = shown[shown.indexOf(document.activeElement) + step];
    if (next) { next.focus(); event.preventDefault(); }
  });
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const button of buttons.values()) button.parentElement.hidden = !button.textContent.toLowerCase().includes(wanted);
  });
  const zoom = (factor) => graph.zoom({ level: graph.zoom() * factor, renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 } });
  document.getElementById("in").addEventListener("click", () => zoom(1.4));
  document.getElementById("out").addEventListener("click", () => zoom(1 / 1.4));
  document.getElementById("fit").addEventListener("click", () => graph.fit(undefined, 20));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph.style(colours()));
  addEventListener("beforeprint", () => { graph.resize(); graph.fit(undefined, 10); });
  addEventListener("resize", () => graph.resize());
  graph.fit(undefined, 20);
  window.airunwayGraph = graph;
})();
