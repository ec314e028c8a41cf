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

  form.addEventListener("input", () => {
    asked++;
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
  for (const fresh of page.querySelectorAll("input.amount, input.count")) {
    const shown = document.getElementsByName(fresh.name)[0];
    if (!shown) continue;
    shown.removeAttribute("aria-invalid");
    if (fresh.hasAttribute("aria-invalid")) shown.setAttribute("aria-invalid", "true");
    // While the user types in a row, its quantity is left alone, because the amount follows from it.
    const typing = document.activeElement;
    const waits = shown.classList.contains("count") && shown.closest("tr").contains(typing);
    if (shown !== typing && !waits) shown.value = fresh.value;
  }
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
