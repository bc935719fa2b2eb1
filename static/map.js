// The maps. The page's own script makes the Leaflet map and hands it to one of: browse, case, picker, area.
// Leaflet has its words in English and needs a mouse; what is missing for others is added here.
"use strict";

(() => {
  const FIXED = ["resolved"];
  const CLOSED = ["declined", "not_ours", "duplicate", "withdrawn"];
  const typeOf = (state) => (FIXED.includes(state) ? "fixed" : CLOSED.includes(state) ? "closed" : "open");

  let cachedWords;
  function words() {
    // The words stand after the map in the page, so they are read when they are first needed.
    if (!cachedWords) {
      const block = document.getElementById("words");
      cachedWords = block ? JSON.parse(block.textContent) : null;
    }
    return cachedWords || {};
  }

  function say(sentence, values = {}) {
    return Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), sentence || "");
  }

  // Markers are made before the words are read, so what needs words waits for the whole page.
  function ready(act) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act, { once: true });
    else act();
  }

  function icon(name) {
    const sprite = document.body.dataset.sprite;
    return `<svg class="icon" aria-hidden="true" focusable="false"><use href="${sprite}#${encodeURIComponent(name || "other")}"></use></svg>`;
  }

  function el(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }

  function announce(text) {
    const live = document.getElementById("live");
    if (live) live.textContent = text;
  }

  const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function prepare(map, options) {
    const container = map.getContainer();
    container.setAttribute("role", "group");
    if (options.label) container.setAttribute("aria-label", options.label);
    map.attributionControl.setPrefix(false);
    map.options.zoomAnimation = map.options.fadeAnimation = !still();
    ready(() => {
      const say_ = words();
      L.control.zoom({ position: "topright", zoomInTitle: say_.zoom_in, zoomOutTitle: say_.zoom_out }).addTo(map);
      map.on("popupopen", ({ popup }) => {
        const close = popup.getElement().querySelector(".leaflet-popup-close-button");
        if (close) close.setAttribute("aria-label", say_.close);
      });
    });
    // A map that was hidden, or whose window was turned, does not know its own size.
    new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(container);
    for (const url of [options.border_url].flat().filter(Boolean)) {
      fetch(url)
        .then((answer) => (answer.ok ? answer.json() : null))
        .then((border) => {
          if (border) L.geoJSON(border, { interactive: false, style: { className: "border-line", fill: false } }).addTo(map);
        })
        .catch(() => {});
    }
  }

  function caseIcon(state, name) {
    const type = typeOf(state);
    const sign = type === "open" ? "" : `<span class="marker-sign">${icon(type === "fixed" ? "check" : "close")}</span>`;
    return L.divIcon({
      className: "",
      html: `<span class="marker" data-type="${type}">${icon(name)}</span>${sign}`,
      iconSize: [36, 36],
      iconAnchor: [18, 43],
      popupAnchor: [0, -40],
    });
  }

  function clusterIcon(count) {
    const size = count < 10 ? 44 : count < 100 ? 50 : 58;
    return L.divIcon({
      className: "",
      html: `<span class="cluster" aria-hidden="true">${count > 999 ? `${Math.floor(count / 1000)}k` : count}</span>`,
      iconSize: [size, size],
    });
  }

  // `act` is what Enter and the space bar do, as on any button; Leaflet itself listens to the mouse.
  function named(marker, name, act) {
    const element = marker.getElement();
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", name);
    element.removeAttribute("title");
    if (!act) return;
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
  }

  // Whoever opens a popup with the keyboard goes on in it, and comes back to the marker when it closes.
  function openWithKeys(marker) {
    marker.once("popupopen", ({ popup }) => {
      const box = popup.getElement();
      box.querySelector("a.popup-link").focus();
      box.addEventListener("keydown", (event) => {
        if (event.key === "Escape") marker.closePopup();
      });
    });
    marker.once("popupclose", () => {
      const element = marker.getElement();
      if (element) element.focus();
    });
    marker.openPopup();
  }

  // Many cases on a map ------------------------------------------------------------------------------------------

  function browse(map, options) {
    prepare(map, options);
    const shown = new Map();
    const layer = L.layerGroup().addTo(map);
    const form = document.querySelector(options.filters);
    let waiting = null;
    let asking = null;
    let moved = false;

    restoreView(map);

    function popup(properties) {
      const box = el("div");
      const say_ = words();
      box.append(el("p", "popup-title", (say_.categories || {})[properties.category] || properties.category));
      box.append(el("p", "", (say_.states || {})[properties.state] || properties.state));
      // The server sends the first 80 characters.
      const cut = properties.text && properties.text.length >= 80 ? "…" : "";
      box.append(el("p", "", properties.text ? properties.text + cut : say_.held));
      const link = el("a", "popup-link", say_.open_case);
      link.href = options.case_url.replace("REF", properties.ref);
      box.append(link);
      return box;
    }

    function draw(features) {
      const wanted = new Set();
      const say_ = words();
      let total = 0;
      for (const { geometry, properties } of features) {
        const [lon, lat] = geometry.coordinates;
        const key = properties.ref ? `${properties.ref} ${properties.state}` : `${properties.count} ${lat} ${lon}`;
        wanted.add(key);
        total += properties.count || 1;
        // A marker that stays is left alone, so that it keeps its focus and its open popup.
        if (shown.has(key)) continue;
        const marker = properties.count
          ? L.marker([lat, lon], { icon: clusterIcon(properties.count) })
          : L.marker([lat, lon], { icon: caseIcon(properties.state, properties.icon) });
        const closer = () => map.setView([lat, lon], Math.min(map.getZoom() + 2, 18), { animate: !still() });
        if (properties.count) {
          marker.on("click", closer);
        } else {
          marker.bindPopup(() => popup(properties), { autoPanPadding: [16, 64] });
        }
        marker.addTo(layer);
        named(
          marker,
          properties.count
            ? say(say_.cluster, { count: properties.count })
            : `${(say_.categories || {})[properties.category] || properties.category}, ${(say_.states || {})[properties.state] || properties.state}. ${properties.text || ""}`,
          () => {
            if (!properties.count) {
              openWithKeys(marker);
              return;
            }
            // The cluster goes away, so the map itself takes the focus.
            map.getContainer().focus({ preventScroll: true });
            moved = true;
            closer();
          },
        );
        shown.set(key, marker);
      }
      for (const [key, marker] of shown) {
        if (!wanted.has(key)) {
          layer.removeLayer(marker);
          shown.delete(key);
        }
      }
      if (moved) announce(total ? say(say_.in_map, { count: total }) : say_.none_in_map);
    }

    function address() {
      const { _southWest: a, _northEast: b } = map.getBounds();
      const query = new URLSearchParams();
      if (form) {
        for (const [name, value] of new FormData(form)) if (value && name !== "bbox") query.set(name, value);
      }
      query.set("bbox", [a.lng, a.lat, b.lng, b.lat].map((n) => n.toFixed(5)).join(","));
      query.set("zoom", Math.round(map.getZoom()));
      return `${options.url}?${query}`;
    }

    async function load() {
      const size = map.getSize();
      // On the phone the map may stand behind the list; it is filled when it comes to the front.
      if (!size.x || !size.y) return;
      if (asking) asking.abort();
      asking = new AbortController();
      try {
        const answer = await fetch(address(), { signal: asking.signal });
        if (!answer.ok) throw new Error(String(answer.status));
        draw((await answer.json()).features);
      } catch (error) {
        if (error.name !== "AbortError") announce(words().map_failed);
      }
    }

    function soon() {
      clearTimeout(waiting);
      waiting = setTimeout(load, 150);
    }

    map.on("moveend resize", () => {
      moved = moved || document.activeElement === map.getContainer() || map.getContainer().contains(document.activeElement);
      rememberView(map);
      soon();
      map.getContainer().dispatchEvent(
        new CustomEvent("gatami:moved", { bubbles: true, detail: { bounds: map.getBounds().toBBoxString() } }),
      );
    });
    document.addEventListener("gatami:filtered", soon);
    document.addEventListener("gatami:centre", ({ detail }) => map.setView([detail.lat, detail.lon], detail.zoom || map.getZoom()));

    // A long press, or the other mouse button, starts a report right there.
    map.on("contextmenu", ({ latlng }) => {
      const link = el("a", "popup-link", words().report_here);
      link.href = `${options.report_url}?lat=${latlng.lat.toFixed(5)}&lon=${latlng.lng.toFixed(5)}`;
      L.popup().setLatLng(latlng).setContent(link).openOn(map);
    });
    ready(load);
  }

  const VIEW = "gatami:view";

  function rememberView(map) {
    const { lat, lng } = map.getCenter();
    try {
      sessionStorage.setItem(VIEW, JSON.stringify([lat, lng, map.getZoom()]));
    } catch {
      // Without storage the map opens where it always does.
    }
  }

  function restoreView(map) {
    const [visit] = performance.getEntriesByType("navigation");
    if (!visit || visit.type !== "back_forward") return;
    try {
      const [lat, lon, zoom] = JSON.parse(sessionStorage.getItem(VIEW));
      map.setView([lat, lon], zoom, { animate: false });
    } catch {
      // Nothing was remembered.
    }
  }

  // One case -----------------------------------------------------------------------------------------------------

  function showCase(map, options) {
    prepare(map, options);
    map.scrollWheelZoom.disable();
    // A finger that scrolls the page must not get caught in the small map.
    if (L.Browser.mobile) map.dragging.disable();
    L.marker(map.getCenter(), { icon: caseIcon(options.state, options.icon), interactive: false, keyboard: false }).addTo(map);
  }

  // Choosing a place ---------------------------------------------------------------------------------------------

  function pickedIcon() {
    return L.divIcon({
      className: "picked",
      html: '<svg viewBox="0 0 32 42" aria-hidden="true" focusable="false"><path class="picked-drop" d="M16 40C8 30 3 23 3 15.5a13 13 0 0 1 26 0C29 23 24 30 16 40Z"/><circle class="picked-hole" cx="16" cy="15" r="5"/></svg>',
      iconSize: [40, 52],
      iconAnchor: [20, 50],
    });
  }

  function picker(map, options) {
    prepare(map, options);
    const area = options.radius_input !== undefined;
    let marker = null;
    let circle = null;

    // The fields stand after the map in the page.
    ready(() => {
      const lat = document.querySelector(options.lat_input);
      const lon = document.querySelector(options.lon_input);
      const status = document.querySelector(options.status);
      const radius = area ? document.querySelector(options.radius_input) : null;
      const say_ = words();
      const tell = (text) => {
        if (status) status.textContent = text;
      };
      // Coordinates are for few, so they are folded away where the map works.
      const coordinates = lat.closest("details");
      if (coordinates && !lat.value) coordinates.open = false;

      function mark(place) {
        if (!marker) {
          marker = L.marker(place, { icon: pickedIcon(), draggable: true, autoPan: true }).addTo(map);
          named(marker, say_.place_marker);
          marker.on("dragend", () => choose(marker.getLatLng()));
        } else {
          marker.setLatLng(place);
        }
        if (area) {
          const metres = Number(radius.value) || 1000;
          circle = circle || L.circle(place, { radius: metres, className: "circle-area", interactive: false }).addTo(map);
          circle.setLatLng(place).setRadius(metres);
        }
      }

      function choose(place, note) {
        mark(place);
        lat.value = place.lat.toFixed(6);
        lon.value = place.lng.toFixed(6);
        tell(note || say(say_.place_set, { lat: place.lat.toFixed(5), lon: place.lng.toFixed(5) }));
        document.dispatchEvent(new CustomEvent("gatami:placed"));
      }

      function typed() {
        const place = [lat.value, lon.value].map((value) => parseFloat(value.replace(",", ".")));
        if (place.some(Number.isNaN) || Math.abs(place[0]) > 90 || Math.abs(place[1]) > 180) return;
        mark(L.latLng(place));
        map.setView(place, Math.max(map.getZoom(), area ? 12 : 16), { animate: !still() });
        tell(say(say_.place_set, { lat: place[0].toFixed(5), lon: place[1].toFixed(5) }));
        document.dispatchEvent(new CustomEvent("gatami:placed"));
      }

      map.on("click", ({ latlng }) => choose(latlng));
      // With the keyboard the arrows move the map, and Enter chooses its middle.
      map.getContainer().addEventListener("keydown", (event) => {
        if (event.key === "Enter" && event.target === map.getContainer()) {
          event.preventDefault();
          choose(map.getCenter());
        }
      });
      lat.addEventListener("change", typed);
      lon.addEventListener("change", typed);
      if (radius) {
        radius.addEventListener("change", () => {
          if (!marker) return;
          mark(marker.getLatLng());
          map.fitBounds(circle.getBounds(), { padding: [16, 16], animate: !still() });
        });
      }
      document.addEventListener("gatami:address", ({ detail }) => {
        choose(L.latLng(detail.lat, detail.lon), detail.text);
        map.setView([detail.lat, detail.lon], 17, { animate: !still() });
      });
      locateButton(map, options, say_, tell, choose);
      if (lat.value && lon.value) typed();
    });
  }

  function locateButton(map, options, say_, tell, choose) {
    const button = options.locate ? document.querySelector(options.locate) : null;
    if (!button) return;
    if (!navigator.geolocation) {
      button.hidden = true;
      return;
    }
    let accuracy = null;
    button.addEventListener("click", () => {
      tell(say_.locating);
      button.setAttribute("aria-busy", "true");
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          button.removeAttribute("aria-busy");
          const place = L.latLng(coords.latitude, coords.longitude);
          const rough = coords.accuracy > 50;
          choose(place, rough ? say(say_.locate_rough, { metres: Math.round(coords.accuracy) }) : undefined);
          if (accuracy) map.removeLayer(accuracy);
          accuracy = L.circle(place, { radius: coords.accuracy, className: "accuracy-area", interactive: false }).addTo(map);
          map.fitBounds(accuracy.getBounds(), { maxZoom: 17, animate: !still() });
        },
        (error) => {
          button.removeAttribute("aria-busy");
          tell(error.code === error.PERMISSION_DENIED ? say_.locate_denied : say_.locate_failed);
        },
        { enableHighAccuracy: true, timeout: 15000, maximumAge: 10000 },
      );
    });
  }

  window.gatami = { browse, case: showCase, showCase, picker, area: picker };
})();
