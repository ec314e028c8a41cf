// Makes forms quicker. Every page works without it.
"use strict";

document.documentElement.classList.add("script");

// A form whose sums are counted while it is typed in: the server, which records it, counts them.
for (const form of document.querySelectorAll("form[data-live]")) {
  let asked = 0;
  let timer = 0;

  const ask = async () => {
    const turn = ++asked;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("step", "review");
    // A form that has been recorded meanwhile leads elsewhere, and has nothing more to show here.
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn === asked && page.getElementById("review")) show(page);
  };

  form.addEventListener("input", () => {
    asked++;
    clearTimeout(timer);
    // Without an answer the form is as good as before: the server reviews what is sent.
    timer = setTimeout(() => ask().catch(() => {}), 150);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
}

// Takes over what an answer says anew, but for what is being typed in.
function show(page) {
  for (const fresh of page.querySelectorAll("[data-swap]")) {
    const shown = document.getElementById(fresh.id);
    const focused = document.activeElement;
    if (!shown || (shown.contains(focused) && focused.matches("input, select, textarea"))) continue;
    const had = shown.contains(focused) ? focused.value : "";
    const taken = fresh.cloneNode(true);
    shown.replaceWith(taken);
    // Whoever stood on the button stands on it still, and reads its new sum.
    if (had) taken.querySelector(`button[value="${CSS.escape(had)}"]`)?.focus();
  }
  for (const fresh of page.querySelectorAll("input.amount, input.count")) {
    const shown = document.getElementsByName(fresh.name)[0];
    if (!shown) continue;
    shown.removeAttribute("aria-invalid");
    if (fresh.hasAttribute("aria-invalid")) shown.setAttribute("aria-invalid", "true");
    // A quantity that is being typed decides about the amount beside it until it is done.
    const typing = document.activeElement;
    const waits = shown.classList.contains("count") && shown.closest("tr").contains(typing);
    if (shown !== typing && !waits) shown.value = fresh.value;
  }
}

// Something to copy gets a button for it.
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
