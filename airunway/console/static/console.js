"use strict";
// Buttons that copy their text, or that of another element.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-of]");
  if (!button) return;
  const { copy, copyOf } = button.dataset;
  await navigator.clipboard.writeText(copy ?? document.getElementById(copyOf).textContent);
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

// Buttons that close what they have opened.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-empty]");
  if (button) document.getElementById(button.dataset.empty).replaceChildren();
});

// What is read again and again stays open where it was opened, and scrolled where it was scrolled.
let before = { open: [], scrolled: [] };
document.addEventListener("htmx:beforeSwap", (event) => {
  const within = (selector) => [...event.detail.target.querySelectorAll(selector)];
  before = {
    open: within("details[id][open]").map((part) => part.id),
    scrolled: within(".scroll").map((part) => part.scrollLeft),
  };
});
document.addEventListener("htmx:afterSwap", (event) => {
  for (const id of before.open) { const part = document.getElementById(id); if (part) part.open = true; }
  event.detail.target.querySelectorAll(".scroll").forEach((part, index) => { part.scrollLeft = before.scrolled[index] || 0; });
});

// A log begins at its end, which has its heading in view.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "log") return;
  const lines = document.getElementById("log-text");
  if (lines) lines.scrollTop = lines.scrollHeight;
  event.detail.target.scrollIntoView({ block: "nearest" });
});

// A filter hides the rows that lack its words, also those that are read later.
const filter = document.querySelector("[data-filter]");
const filtered = () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  document.querySelectorAll(`#${filter.dataset.filter} tbody tr`).forEach((row) => {
    row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });
};
if (filter) {
  filter.addEventListener("input", filtered);
  document.addEventListener("htmx:afterSwap", filtered);
}

// What was typed into the form is there again where the browser goes back to it, as long as its tab is open.
const form = document.getElementById("deployment");
if (form) {
  const key = `form ${location.pathname}${location.search}`;
  const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden");
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") {
    const typed = JSON.parse(sessionStorage.getItem(key) || "{}");
    for (const field of fields) if (field.name in typed) field.value = typed[field.name];
  } else {
    sessionStorage.removeItem(key);
  }
  form.addEventListener("input", () => {
    sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(fields.map((field) => [field.name, field.value]))));
  });
}

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
    if (end.result === "failed" && ![...steps.children].some((row) => row.className === "failed")) {
      part("reason").textContent = end.text || log.textContent.trim().split("\n").pop();
    }
    if (end.result === "failed") part("logs").open = true;
    htmx.ajax("GET", operation.dataset.actions, { target: "#actions", swap: "innerHTML" });
  });
}

// The chat of a deployment: one question at a time, whose answer is shown as it comes.
const chat = document.querySelector("#chat form");
if (chat) {
  const part = (id) => document.getElementById(id);
  const [conversation, question, send, stop, again, most] = ["conversation", "question", "send", "stop", "again", "most-tokens"].map(part);
  const fields = chat.querySelector("fieldset");
  const hints = {
    running: "Ask it something: it answers here.",
    waiting: "It does not run yet.",
    absent: "It is not in the cluster yet.",
    unread: "The cluster is not read, so nothing can be asked.",
  };
  let messages = [];
  let asking = null;

  document.addEventListener("htmx:afterSwap", () => {
    const live = part("live");
    if (!live) return;
    fields.disabled = live.dataset.state !== "running" && !asking;
    const hint = part("chat-hint");
    if (hint) hint.textContent = hints[live.dataset.state];
  });
  const said = (role, text) => {
    part("chat-hint")?.remove();
    const row = conversation.appendChild(document.createElement("p"));
    row.className = role;
    row.textContent = text;
    conversation.scrollTop = conversation.scrollHeight;
    return row;
  };
  const linesOf = async function* (body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      yield* lines.map((line) => JSON.parse(line));
    }
  };
  const refused = (line) => {
    said("refused", line.error);
    if (line.rule) said("rule", `A Role of namespace ${line.namespace} gives this right with the rule\n${line.rule}`);
  };
  const answered = async (row) => {
    const form = new URLSearchParams({ messages: JSON.stringify(messages), most_tokens: most.value });
    const reply = await fetch(chat.action, { method: "POST", body: form, signal: asking.signal });
    if (!(reply.headers.get("content-type") || "").includes("json")) throw new Error(`the console answers ${reply.status}`);
    let ended = false;
    for await (const line of linesOf(reply.body)) {
      if (line.text) { row.textContent += line.text; conversation.scrollTop = conversation.scrollHeight; }
      if (line.error) { refused(line); ended = true; }
      if ("end" in line) { if (line.end) said("note", `The answer is ${line.end}.`); ended = true; }
    }
    if (!ended) throw new Error("the answer broke off");
  };
  const ask = async () => {
    const text = question.value.trim();
    if (asking || !text || !most.reportValidity()) return;
    asking = new AbortController();
    messages.push({ role: "user", content: text });
    said("user", text);
    question.value = "";
    send.disabled = true;
    stop.hidden = false;
    const row = said("assistant", "");
    conversation.setAttribute("aria-busy", "true");
    try {
      await answered(row);
    } catch (error) {
      if (error.name === "AbortError") said("note", "Stopped."); else said("refused", error.message);
    }
    conversation.removeAttribute("aria-busy");
    if (row.textContent) messages.push({ role: "assistant", content: row.textContent });
    else { row.remove(); messages.pop(); }
    asking = null;
    send.disabled = false;
    stop.hidden = true;
    question.focus();
  };
  chat.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(); }
  });
  stop.addEventListener("click", () => asking?.abort());
  again.addEventListener("click", () => { asking?.abort(); messages = []; conversation.replaceChildren(); question.focus(); });
}
