// One session per page load; replies are streamed as server-sent events.
"use strict";

const session = "page-" + crypto.getRandomValues(new Uint32Array(4)).join("-");
const log = document.getElementById("log");
const form = document.getElementById("form");
const input = document.getElementById("text");
const button = form.querySelector("button");

function entry(kind, text) {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = text;
  log.append(item);
  item.scrollIntoView({ block: "nearest" });
  return item;
}

async function ask(text, item) {
  const response = await fetch("v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Session-Id": session },
    body: JSON.stringify({ model: "chatbot", stream: true, messages: [{ role: "user", content: text }] }),
  });
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new Error(body?.error?.message ?? `The service answered ${response.status}.`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The answer ended before it was complete.");
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") return;
      item.textContent += JSON.parse(data).choices[0]?.delta.content ?? "";
    }
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  input.value = "";
  button.disabled = true;
  entry("user", text);
  const item = entry("assistant", "");
  try {
    await ask(text, item);
  } catch (error) {
    item.className = "error";
    item.textContent = `${item.textContent} ${error.message}`.trim();
  } finally {
    button.disabled = false;
    input.focus();
  }
});

fetch("version").then((r) => r.json()).then((v) => {
  document.getElementById("release").textContent = `Release ${v.version} (${v.track})`;
}).catch(() => {});
