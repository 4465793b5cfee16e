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

// The events of the operation that is shown.
const operation = document.getElementById("operation");
if (operation) {
  const [steps, log, result, cancel] = ["steps", "log", "result", "cancel"].map((id) => document.getElementById(id));
  const rows = new Map();
  const events = new EventSource(operation.dataset.events);
  const on = (kind, act) => events.addEventListener(kind, (message) => act(JSON.parse(message.data)));
  const say = (text) => { log.textContent += text + "\n"; log.scrollTop = log.scrollHeight; };
  on("step", (step) => {
    if (step.operation === "same") return;
    let row = rows.get(step.urn);
    if (!row) {
      row = steps.appendChild(document.createElement("li"));
      rows.set(step.urn, row);
    }
    row.className = step.state;
    row.textContent = `${step.operation} ${step.name} ${step.type}: ${step.state}`;
  });
  on("log", (line) => say(line.text));
  on("summary", (summary) => say("Resources: " + (Object.entries(summary.counts).map(([name, count]) => `${count} ${name}`).join(", ") || "none")));
  on("end", (end) => {
    events.close();
    result.textContent = end.result;
    cancel.remove();
    if (end.text) say(end.text);
    for (const button of document.querySelectorAll("button[name=action]")) button.disabled = false;
  });
}
