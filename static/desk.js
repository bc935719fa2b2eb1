// The desk: keys for those who handle many cases, and no second click on a button that is already at work.
"use strict";

(() => {
  // In the queue the arrow keys go from case to case, as in a mail program. They do so only while a case has focus, so
  // that they get in nobody's way (WCAG 2.1.4).
  document.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || !event.target.matches(".queue-link")) return;
    const links = [...document.querySelectorAll(".queue-link")];
    const next = links[links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.closest(".desk-case")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  // A page that is shown again by the back button can be used again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
