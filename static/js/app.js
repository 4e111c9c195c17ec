// Small comforts, each on its own data attribute. Every page does the same work without this file.

// Show a password, and hide it again before it is sent so that no browser remembers it as plain text.
function enhanceReveal(button) {
  const input = document.getElementById(button.dataset.reveal);
  const word = button.querySelector("[data-reveal-word]");
  const status = button.parentElement.querySelector("[data-reveal-status]");
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    word.textContent = shown ? button.dataset.hide : button.dataset.show;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    show(shown);
    status.textContent = shown ? button.dataset.shown : button.dataset.hidden;
  });
  input.form?.addEventListener("submit", () => show(false));
}

// Say how many boxes of a list are ticked.
function enhanceSelectionCount(output) {
  const form = output.closest("form");
  const boxes = () => form.querySelectorAll(`input[type=checkbox][name="${output.dataset.selectionCount}"]:checked`);
  const count = () => {
    const n = boxes().length;
    const words = n === 0 ? output.dataset.none : n === 1 ? output.dataset.one : output.dataset.many;
    output.textContent = words.replace("{n}", n);
  };
  output.hidden = false;
  form.addEventListener("change", count);
  count();
}

// One box that ticks all the others of its form.
function enhanceSelectAll(choice) {
  const all = choice.querySelector("input");
  const form = choice.closest("form");
  const boxes = [...form.querySelectorAll(`input[type=checkbox][name="${choice.dataset.selectAll}"]`)];
  choice.hidden = boxes.length < 2;
  const follow = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  form.addEventListener("change", (event) => {
    if (event.target === all) boxes.forEach((box) => (box.checked = all.checked));
    else follow();
  });
  follow();
}

// Print the page, as its browser's own command does.
function enhancePrint(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A link of the error summary leads to the field itself, its label in sight.
function enhanceErrorSummary(summary) {
  // Autofocus has the first word; this is for browsers that grant it to form controls only.
  window.addEventListener("load", () => requestAnimationFrame(() => {
    if (document.activeElement === document.body) summary.focus();
  }));
  summary.addEventListener("click", (event) => {
    const field = document.getElementById(event.target.closest("a")?.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const label = field.closest("fieldset")?.querySelector("legend") ?? field.labels?.[0] ?? field;
    label.scrollIntoView({ block: "start" });
    field.focus({ preventScroll: true });
  });
}

// A form that leaves shows it, and a double click sends it once. Its button is never disabled.
const SENDING = 4000; // ms after which the form may be sent again, should no page have come

function markSending(event) {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sending) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sending = "true";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => settle(event.target), SENDING);
}

function settle(form) {
  delete form.dataset.sending;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
}

document.querySelectorAll("[data-reveal]").forEach(enhanceReveal);
document.querySelectorAll("[data-print]").forEach(enhancePrint);
// In this order: the count is made after the boxes were ticked.
document.querySelectorAll("[data-select-all]").forEach(enhanceSelectAll);
document.querySelectorAll("[data-selection-count]").forEach(enhanceSelectionCount);
document.querySelectorAll("[data-error-summary]").forEach(enhanceErrorSummary);
document.addEventListener("submit", markSending);
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(settle));
