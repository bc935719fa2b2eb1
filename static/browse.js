// The front page: map and list beside each other, or one at a time on the phone.
"use strict";

(() => {
  const browse = document.getElementById("browse");
  const form = document.getElementById("filters");
  const boxField = document.getElementById("bbox");
  const onlyMap = document.getElementById("only-map");
  const count = document.getElementById("filters-count");
  const LIST = "#list-view";
  let bounds = boxField.value;

  // Map or list --------------------------------------------------------------------------------------------------

  function show(view) {
    browse.dataset.view = view;
    for (const link of browse.querySelectorAll(".switch a")) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const address = location.pathname + location.search + (view === "list" ? LIST : "");
    history.replaceState(history.state, "", address);
  }

  browse.querySelector(".switch").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    show(link.dataset.view);
    window.scrollTo({ top: 0 });
  });
  show(location.hash === LIST ? "list" : "map");

  // The filter ---------------------------------------------------------------------------------------------------

  function recount() {
    const active = ["q", "category", "state", "place"].filter((name) => form.elements[name].value).length;
    count.textContent = active || "";
    count.hidden = !active;
    document.getElementById("clear").hidden = !active && !form.elements.municipality?.value;
  }

  form.addEventListener("htmx:configRequest", () => {
    recount();
    document.dispatchEvent(new CustomEvent("gatami:filtered"));
  });

  document.body.addEventListener("htmx:pushedIntoHistory", () => show(browse.dataset.view));

  const municipality = document.getElementById("municipality");
  if (municipality && municipality.tagName === "SELECT") {
    municipality.addEventListener("change", () => {
      const { lat, lon } = municipality.selectedOptions[0].dataset;
      if (lat) document.dispatchEvent(new CustomEvent("gatami:centre", { detail: { lat: Number(lat), lon: Number(lon) } }));
    });
  }

  // The list follows the map where that is asked for -------------------------------------------------------------

  onlyMap.addEventListener("change", () => {
    boxField.disabled = !onlyMap.checked;
    boxField.value = onlyMap.checked ? bounds : "";
  });

  let waiting = null;
  document.addEventListener("gatami:moved", (event) => {
    bounds = event.detail.bounds
      .split(",")
      .map((n) => Number(n).toFixed(5))
      .join(",");
    if (!onlyMap.checked) return;
    boxField.value = bounds;
    clearTimeout(waiting);
    waiting = setTimeout(() => form.requestSubmit(), 400);
  });
})();
