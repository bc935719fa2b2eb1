// Small comforts for every page. Each page works without them.
"use strict";

(() => {
  const menu = document.querySelector("details.menu");
  if (menu) {
    document.addEventListener("click", (event) => {
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  }

  // Whoever sends a form with errors starts reading at the list of them.
  const problem = document.querySelector(".conflict, .ds-error-summary");
  if (problem) problem.focus();

  const offline = document.getElementById("offline");
  const tell = () => {
    offline.hidden = navigator.onLine;
  };
  if (offline) {
    window.addEventListener("online", tell);
    window.addEventListener("offline", tell);
    tell();
  }

  // Empty fields stay out of the address, so that it can be read and shared.
  document.body.addEventListener("htmx:configRequest", (event) => {
    const parameters = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    for (const name of Object.keys(parameters)) if (!parameters[name]) delete parameters[name];
  });

  // What a list says of itself is said aloud when htmx has changed it. The live region itself stays where it is.
  const live = document.getElementById("live");
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const heading = event.target.querySelector && event.target.querySelector("[data-announce]");
    if (heading && live) live.textContent = heading.textContent.trim();
  });

  // After a change of page the reading starts at the top of the new one.
  document.body.addEventListener("click", (event) => {
    const link = event.target.closest(".pager a[hx-get]");
    if (!link) return;
    document.body.addEventListener(
      "htmx:afterSettle",
      () => {
        const heading = document.querySelector("[data-announce]");
        heading.focus({ preventScroll: true });
        heading.scrollIntoView({ block: "center" });
      },
      { once: true },
    );
  });
})();
