// Makes forms faster to use. Every page works without this script.
"use strict";

document.documentElement.classList.add("script");

// Forms whose sums are updated while the user types. The server computes them, because it also
// records the form.
for (const form of document.querySelectorAll("form[data-live]")) {
  let asked = 0;
  let timer = 0;
  let button = "review";

  const ask = async () => {
    const turn = ++asked;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("button", button);
    // If the form has been recorded in the meantime, the server redirects, and there is nothing to
    // show here.
    const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== asked || !page.getElementById("review")) return;
    // Another reservation has other lines to type in. The answer has what was typed in them.
    if (button === "choose") swap(page.getElementById("of-reservation"));
    button = "review";
    show(page);
  };

  form.addEventListener("input", (event) => {
    asked++;
    emptyOther(event.target);
    if (event.target.name === "authorization_id") button = "choose";
    clearTimeout(timer);
    // If the request fails, the form still works: the server reviews it when it is submitted.
    timer = setTimeout(() => ask().catch(() => {}), 150);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
}

// Shows the new parts of an answer, except in the field that the user is typing in.
function show(page) {
  for (const fresh of page.querySelectorAll("[data-swap]")) swap(fresh);
  const shown = document.querySelectorAll(".typed tbody tr");
  for (const [at, fresh] of page.querySelectorAll(".typed tbody tr").entries()) {
    if (shown[at]?.cells[0].id === fresh.cells[0].id) showRow(shown[at], fresh);
  }
  for (const fresh of page.querySelectorAll(".details [name]")) {
    const field = document.querySelector(`.details [name="${fresh.name}"]`);
    if (!field) continue;
    mark(field, fresh);
    const [label, freshLabel] = [field, fresh].map((it) => it.closest("label"));
    label.querySelector(".problem")?.remove();
    const problem = freshLabel.querySelector(".problem");
    if (problem) label.append(problem.cloneNode(true));
  }
}

// Marks a field as invalid, or not, as the answer's field is.
function mark(field, fresh) {
  for (const name of ["aria-invalid", "aria-describedby"]) {
    if (fresh?.hasAttribute(name)) field.setAttribute(name, fresh.getAttribute(name));
    else field.removeAttribute(name);
  }
}

function swap(fresh) {
  const shown = document.getElementById(fresh.id);
  const focused = document.activeElement;
  if (!shown || (shown.contains(focused) && focused.matches("input, select, textarea"))) return;
  const had = shown.contains(focused) ? focused.value : "";
  const taken = fresh.cloneNode(true);
  shown.replaceWith(taken);
  // The focus stays on the button that had it, which now shows the new sum.
  if (had) taken.querySelector(`button[value="${CSS.escape(had)}"]`)?.focus();
}

// Shows the new amounts and the new note of a line. What is typed is never replaced, only marked.
function showRow(shown, fresh) {
  shown.className = fresh.className;
  for (const at of [3, 4]) {
    if (shown.cells[at].innerHTML !== fresh.cells[at].innerHTML) {
      shown.cells[at].replaceChildren(...fresh.cells[at].cloneNode(true).childNodes);
    }
  }
  const boxes = [...shown.cells[5].querySelectorAll("input:not([type])")];
  const others = fresh.cells[5].querySelectorAll("input:not([type])");
  for (const [at, box] of boxes.entries()) mark(box, others[at]);
  const [had, has] = [shown, fresh].map((row) => row.querySelector(".note"));
  if (had?.contains(document.activeElement)) return;
  had?.remove();
  if (has && boxes.length > 0) shown.cells[5].append(has.cloneNode(true));
}

// Of a line's amount and its quantity, the one that is typed last counts, and the other is emptied.
function emptyOther(typed) {
  const [, kind, line] = /^(amount|quantity)-(\d+)$/.exec(typed.name) ?? [];
  if (!kind || typed.value.trim() === "") return;
  const other = typed.form.elements[`${kind === "amount" ? "quantity" : "amount"}-${line}`];
  if (other) other.value = "";
}

// The list's links keep a search that was typed but not sent yet.
for (const form of document.querySelectorAll("form[role=search]")) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-keeps]");
    if (!link) return;
    const url = new URL(link.href);
    for (const field of form.elements) {
      const sent = field.matches("select")
        ? [...field.options].find((option) => option.defaultSelected)?.value ?? ""
        : field.defaultValue;
      if (!field.name || field.name === "tab" || field.value === sent) continue;
      url.searchParams.delete("after");
      if (field.value) url.searchParams.set(field.name, field.value);
      else url.searchParams.delete(field.name);
    }
    link.href = url.href;
  });
}

// Text that was typed into the order's page and not sent stays in this tab until it is sent, also
// when another part of the page is opened. Signing out forgets it.
const unsent = `unsent ${location.pathname}`;
for (const field of document.querySelectorAll("[data-unsent]")) {
  if (!field.value) field.value = sessionStorage.getItem(unsent) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(unsent, field.value));
  field.form.addEventListener("submit", () => sessionStorage.removeItem(unsent));
}
const signOut = document.querySelector('form[action$="/admin/sign-out"]');
signOut?.addEventListener("submit", () => sessionStorage.clear());

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
