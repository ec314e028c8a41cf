// Makes forms faster to use. Every page works without this script.
"use strict";

document.documentElement.classList.add("script");

// Forms whose sums are updated while the user types. The server computes them, because it also
// records the form.
for (const form of document.querySelectorAll("form[data-live]")) {
  let asked = 0;
  let timer = 0;

  const ask = async () => {
    const turn = ++asked;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("step", "review");
    // If the form has been recorded in the meantime, the server redirects, and there is nothing to
    // show here.
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn === asked && page.getElementById("review")) show(page);
  };

  form.addEventListener("input", (event) => {
    asked++;
    emptyOther(event.target);
    clearTimeout(timer);
    // If the request fails, the form still works: the server reviews it when it is submitted.
    timer = setTimeout(() => ask().catch(() => {}), 150);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
}

// Shows the new parts of an answer, except in the field that the user is typing in.
function show(page) {
  for (const fresh of page.querySelectorAll("[data-swap]")) {
    const shown = document.getElementById(fresh.id);
    const focused = document.activeElement;
    if (!shown || (shown.contains(focused) && focused.matches("input, select, textarea"))) continue;
    const had = shown.contains(focused) ? focused.value : "";
    const taken = fresh.cloneNode(true);
    shown.replaceWith(taken);
    // The focus stays on the button that had it, which now shows the new sum.
    if (had) taken.querySelector(`button[value="${CSS.escape(had)}"]`)?.focus();
  }
  // What is typed in the boxes is never replaced, only marked.
  const boxes = new Map();
  for (const box of document.querySelectorAll("input.amount, input.count")) boxes.set(box.name, box);
  for (const fresh of page.querySelectorAll("input.amount, input.count")) {
    const shown = boxes.get(fresh.name);
    if (!shown) continue;
    shown.removeAttribute("aria-invalid");
    if (fresh.hasAttribute("aria-invalid")) shown.setAttribute("aria-invalid", "true");
  }
}

// Of a line's amount and its quantity, the one that is typed last counts, and the other is emptied.
function emptyOther(typed) {
  const other = typed.matches(".amount") ? ".count" : ".amount";
  if (!typed.matches("input.amount, input.count") || typed.value.trim() === "") return;
  const box = typed.closest("tr").querySelector(`input${other}`);
  if (box) box.value = "";
}

// Adds a copy button to every text that is meant to be copied.
for (const text of document.querySelectorAll("pre[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second small";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  });
  text.before(button);
}
