"use strict";
// Buttons that copy.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
});

// Buttons that ask first.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
});

// A link to a field opens the group that it is in.
document.addEventListener("click", (event) => {
  const link = event.target.closest("#decision a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  field.closest("details").open = true;
  field.focus();
});

// What does not answer is said, and what is shown meanwhile is told by its age.
const offline = document.getElementById("offline");
const lost = () => {
  if (!offline.hidden) return;
  offline.textContent = `The console has not answered since ${new Date().toLocaleTimeString()}: what is shown is from then. Is it still running?`;
  offline.hidden = false;
  document.body.classList.add("stale");
};
const found = () => { offline.hidden = true; document.body.classList.remove("stale"); };
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, lost);
document.addEventListener("htmx:afterOnLoad", found);

// The events of the operation that is shown.
const operation = document.getElementById("operation");
if (operation) {
  const part = (id) => document.getElementById(id);
  const [steps, log, result, cancel, progress] = ["steps", "log", "result", "cancel", "progress"].map(part);
  const isPreview = operation.dataset.action === "preview";
  const resources = new Map();
  const words = { started: isPreview ? "looking" : "running", done: isPreview ? "" : "done", failed: "failed" };
  const rank = { failed: 0, started: 1, done: 2 };
  let ended = false;

  const resource = (urn) => {
    if (!resources.has(urn)) resources.set(urn, { children: [], state: "", status: "", reason: "" });
    return resources.get(urn);
  };
  // A component is what the worst of its parts is.
  const stateOf = (item) => {
    const states = [item.state, ...item.children.map(stateOf)].filter(Boolean);
    return states.sort((a, b) => rank[a] - rank[b])[0] || "";
  };
  const sentence = (item, state) => {
    const what = `${isPreview && state === "done" ? "would " : ""}${item.operation} ${item.name} ${item.type}`;
    return words[state] ? `${what}: ${words[state]}` : what;
  };
  const show = (item) => {
    const state = stateOf(item);
    if (item.operation && item.operation !== "same") {
      if (!item.row) item.row = document.createElement("li");
      item.row.textContent = sentence(item, state);
      const detail = state === "failed" ? item.reason : state === "started" ? item.status : "";
      if (detail) item.row.appendChild(document.createElement("p")).textContent = detail;
      if (item.row.className !== state || !item.row.parentNode) {
        item.row.className = state;
        const next = [...steps.children].find((row) => row !== item.row && rank[row.className] > rank[state]);
        steps.insertBefore(item.row, next || null);
      }
    }
    if (item.parent) show(item.parent);
  };
  const count = () => {
    const shown = [...steps.children].map((row) => row.className);
    const of = (state) => shown.filter((name) => name === state).length;
    const seconds = Math.max(0, Math.round(Date.now() / 1000 - Number(operation.dataset.started)));
    const parts = [`${of("failed")} failed`, `${of("started")} running`, `${of("done")} ${isPreview ? "planned" : "done"}`];
    progress.textContent = `${parts.join(", ")}${ended ? "" : `; ${Math.floor(seconds / 60)} min ${seconds % 60} s`}`;
  };
  const clock = setInterval(count, 1000);

  const events = new EventSource(operation.dataset.events);
  const on = (kind, act) => events.addEventListener(kind, (message) => { found(); act(JSON.parse(message.data)); count(); });
  const say = (text) => { log.textContent += text + "\n"; log.scrollTop = log.scrollHeight; };
  events.onerror = () => { if (!ended) lost(); };
  on("step", (step) => {
    const item = resource(step.urn);
    Object.assign(item, { name: step.name, type: step.type, operation: step.operation, state: step.state });
    if (step.parent && !item.parent) {
      item.parent = resource(step.parent);
      item.parent.children.push(item);
    }
    show(item);
  });
  on("status", (line) => { if (line.urn && resources.has(line.urn)) { const item = resource(line.urn); item.status = line.text; show(item); } });
  on("log", (line) => {
    say(line.text);
    if (line.severity === "error" && line.urn && resources.has(line.urn)) {
      const item = resource(line.urn);
      item.reason = line.text;
      show(item);
    }
  });
  on("summary", (summary) => say("Resources: " + (Object.entries(summary.counts).map(([name, number]) => `${number} ${name}`).join(", ") || "none")));
  on("end", (end) => {
    ended = true;
    clearInterval(clock);
    events.close();
    result.textContent = end.result;
    result.className = end.result;
    cancel.remove();
    if (end.text) say(end.text);
    if (end.result === "failed") part("logs").open = true;
    htmx.ajax("GET", operation.dataset.actions, { target: "#actions", swap: "innerHTML" });
  });
}
