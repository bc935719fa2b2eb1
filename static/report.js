// The report form: keeps what is typed, shows what belongs to place and category, and sends so that nothing is lost.
"use strict";

(() => {
  const form = document.getElementById("report");
  if (!form) return;
  const say = document.getElementById("send-words").dataset;
  const lat = form.elements.lat;
  const lon = form.elements.lon;
  const KEEP = "gatami:report";
  const SENT = "gatami:sent";
  const KEPT = ["category", "lat", "lon", "address_query", "text", "name", "email", "phone"];
  const { photos } = window.gatami;
  const hadErrors = Boolean(document.querySelector(".ds-error-summary"));

  // Who goes back from the receipt and writes about something else must get a new form: the old one counts as sent.
  function freshForm() {
    try {
      if (sessionStorage.getItem(SENT) === form.elements.submission.value) location.replace(form.dataset.page);
    } catch {
      // Without storage nothing was noted.
    }
  }

  window.addEventListener("pageshow", freshForm);

  // What is typed is kept in this tab until the report is sent ---------------------------------------------------

  function save() {
    const values = {};
    for (const [name, value] of new FormData(form)) {
      if ((KEPT.includes(name) || name.startsWith("answer-")) && value) values[name] = value;
    }
    try {
      sessionStorage.setItem(KEEP, JSON.stringify({ values, photos: photos.kept(), submission: form.elements.submission.value }));
    } catch {
      // A full or forbidden storage only means that a reload starts anew.
    }
  }

  let answers = {};

  function put(name, value) {
    const field = form.elements[name];
    if (!field) return false;
    if (field instanceof RadioNodeList) field.value = value;
    else if (field.type === "radio") field.checked = field.value === value;
    else field.value = value;
    return true;
  }

  function restore() {
    let kept;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEEP));
    } catch {
      kept = null;
    }
    // What came from the server, and what the address says, goes before what was kept.
    if (!kept || hadErrors || form.elements.text.value) return;
    const asked = new URLSearchParams(location.search);
    let any = false;
    for (const [name, value] of Object.entries(kept.values)) {
      if (asked.has(name) || ((name === "lat" || name === "lon") && asked.has("lat"))) continue;
      if (name.startsWith("answer-")) answers[name] = value;
      else any = put(name, value) || any;
    }
    // The same form sent twice is one report, also after a reload.
    if (kept.submission) form.elements.submission.value = kept.submission;
    photos.restore(kept.photos || []);
    if (any && kept.values.text) document.getElementById("send-status").textContent = say.restored;
  }

  restore();
  form.addEventListener("input", save);
  form.addEventListener("change", save);
  document.addEventListener("gatami:placed", save);
  document.addEventListener("gatami:photos", save);

  // Enter in a field is no wish to send --------------------------------------------------------------------------

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    if (!["text", "search", "email", "tel"].includes(event.target.type)) return;
    event.preventDefault();
    if (event.target.name === "address_query") form.querySelector('[value="search"]').click();
  });

  // Addresses ----------------------------------------------------------------------------------------------------

  form.addEventListener("click", (event) => {
    const address = event.target.closest("[data-lat]");
    if (!address) return;
    event.preventDefault();
    for (const other of form.querySelectorAll(".addresses button")) other.setAttribute("aria-pressed", String(other === address));
    document.dispatchEvent(
      new CustomEvent("gatami:address", {
        detail: { lat: Number(address.dataset.lat), lon: Number(address.dataset.lon), text: address.textContent.trim() },
      }),
    );
  });

  // What belongs to place and category ---------------------------------------------------------------------------

  const about = document.getElementById("about");
  let asked = null;
  let waiting = null;

  function collect() {
    for (const field of about.querySelectorAll("[name^='answer-']")) {
      if (field.type !== "radio" ? field.value : field.checked) answers[field.name] = field.value;
    }
  }

  // A place may lie in another municipality, with other categories and another telephone, so a new place fetches the
  // page and takes those parts of it. A new category only fetches what belongs to the category.
  async function ask(placed) {
    const category = form.querySelector("[name='category']:checked");
    if (!category && !placed) return;
    const query = new URLSearchParams();
    if (category) query.set("category", category.value);
    if (lat.value && lon.value) {
      query.set("lat", lat.value);
      query.set("lon", lon.value);
    }
    const town = form.elements.municipality;
    if (town && !placed) query.set("municipality", town.value);
    if (asked) asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${placed ? form.dataset.page : form.dataset.about}?${query}`, { signal: asked.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      collect();
      if (placed) takeMunicipality(page);
      const theirs = placed ? page.getElementById("about") : page.body;
      about.replaceChildren(...theirs.childNodes);
      for (const [name, value] of Object.entries(answers)) put(name, value);
    } catch {
      // Without a line the form can still be filled in; the server asks again when it is sent.
    }
  }

  function takeMunicipality(page) {
    const town = page.querySelector("#report [name='municipality']");
    if (!town || !form.elements.municipality || town.value === form.elements.municipality.value) return;
    form.elements.municipality.value = town.value;
    askPreview();
    for (const id of ["categories", "contact"]) {
      const mine = document.getElementById(id);
      const theirs = page.getElementById(id);
      if (mine && theirs) mine.replaceChildren(...theirs.childNodes);
    }
  }

  let place = "";

  function askSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const now = `${lat.value} ${lon.value}`;
      const placed = now !== place && Boolean(lat.value && lon.value);
      place = now;
      ask(placed);
    }, 200);
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "category") askSoon();
  });
  document.addEventListener("gatami:placed", askSoon);
  if (!about.querySelector("*")) askSoon();

  // Characters ---------------------------------------------------------------------------------------------------

  const text = form.elements.text;
  const counter = document.getElementById("text-counter");

  function measure() {
    const left = Number(text.dataset.limit) - [...text.value.trim()].length;
    counter.toggleAttribute("data-over", left < 0);
    const sentence = left < 0 ? counter.dataset.wordsOver : counter.dataset.wordsLeft;
    counter.textContent = left <= 500 ? sentence.replace("{n}", Math.abs(left)) : "";
  }

  text.addEventListener("input", measure);
  measure();

  // What everyone will see ---------------------------------------------------------------------------------------

  // htmx asks while somebody writes. The answer waits while a finger is on the screen, so that nothing moves away
  // under it, and while the box itself is being read.
  const box = document.getElementById("preview");
  const before = document.getElementById("before");
  const after = document.getElementById("after");
  const live = document.getElementById("live");
  let answer = null;
  let finger = false;

  function askPreview() {
    if (text.value.trim() && !before.children.length) box.dispatchEvent(new CustomEvent("gatami:preview"));
  }

  function tell(words) {
    // Said once, and not again at each pause in the writing.
    if (live.textContent !== words) live.textContent = words;
  }

  function settle() {
    if (answer === null || finger || box.contains(document.activeElement)) return;
    if (before.children.length) {
      // What came late belongs to a text that is being looked at further down.
      answer = null;
      return;
    }
    const part = new DOMParser().parseFromString(answer, "text/html").body;
    answer = null;
    box.removeAttribute("aria-busy");
    // Who has gone on to a field further down keeps it where it is.
    const below = document.activeElement;
    const moves = box.compareDocumentPosition(below) & Node.DOCUMENT_POSITION_FOLLOWING && form.contains(below);
    const top = moves ? below.getBoundingClientRect().top : 0;
    box.replaceChildren(...part.childNodes);
    if (moves) window.scrollBy({ top: below.getBoundingClientRect().top - top, behavior: "instant" });
    const said = box.querySelector("[data-say]");
    tell(said ? said.dataset.say : "");
    countAsSeen();
  }

  // The form may say that the text was seen only when it has been on the screen.
  function countAsSeen() {
    const field = box.querySelector("[name='seen']");
    if (!field || !window.IntersectionObserver) return;
    field.disabled = true;
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      field.disabled = false;
      watch.disconnect();
    });
    watch.observe(box.querySelector(".preview-text"));
  }

  function show(html) {
    answer = html;
    settle();
  }

  box.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.shouldSwap = false;
    event.detail.isError = false;
    // A refusal shows nothing; the server then asks once more before it takes the report.
    show(event.detail.xhr.status === 200 ? event.detail.xhr.responseText : "");
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) box.addEventListener(name, () => show(""));
  box.addEventListener("focusout", () => setTimeout(settle));
  document.addEventListener("pointerdown", () => (finger = true), { capture: true, passive: true });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(
      name,
      () =>
        setTimeout(() => {
          finger = false;
          settle();
        }, 400),
      { capture: true, passive: true },
    );
  }
  text.addEventListener("input", () => {
    if (box.children.length) box.setAttribute("aria-busy", "true");
    leaveStep();
  });
  document.addEventListener("DOMContentLoaded", askPreview);

  // Sending ------------------------------------------------------------------------------------------------------

  const send = document.getElementById("send");
  const label = send.querySelector("span");
  let sendLabel = label.textContent;
  const status = document.getElementById("send-status");
  const problem = document.getElementById("send-problem");
  const photoField = document.getElementById("photo-field");
  let sending = false;

  function busy(now) {
    sending = now;
    send.setAttribute("aria-disabled", String(now));
    send.setAttribute("aria-busy", String(now));
    if (!now) {
      photoField.inert = false;
      label.textContent = sendLabel;
      status.textContent = "";
    }
  }

  function failed(message) {
    busy(false);
    problem.hidden = false;
    problem.textContent = message;
    problem.scrollIntoView({ block: "center" });
  }

  // What is mended stops complaining at once, beside its field and in the list of errors above.
  function mended(name) {
    const place = document.getElementById(`${name}-error`);
    if (!place || !place.children.length) return;
    place.replaceChildren();
    for (const field of form.querySelectorAll(`[aria-describedby~="${CSS.escape(`${name}-error`)}"]`)) field.removeAttribute("aria-invalid");
    const target = { place: "where", category: "what" }[name] || name;
    const link = document.querySelector(`#errors a[href="#${CSS.escape(target)}"]`);
    if (link) link.closest("li").remove();
    if (!document.querySelector("#errors li")) document.getElementById("errors").replaceChildren();
  }

  form.addEventListener("input", (event) => mended(event.target.name));
  form.addEventListener("change", (event) => {
    if (event.target.type === "radio") mended(event.target.name);
  });
  document.addEventListener("gatami:placed", () => mended("place"));

  // The answer is the form again: what is new in it moves into this page, so that the map and the rows of photos stay.
  function takeForm(page) {
    for (const mine of form.querySelectorAll("[data-error-slot]")) {
      const theirs = page.getElementById(mine.id);
      mine.replaceChildren(...(theirs ? theirs.childNodes : []));
    }
    for (const field of form.querySelectorAll("[aria-describedby]")) {
      const wrong = field.getAttribute("aria-describedby").split(" ").some((id) => {
        const place = id.endsWith("-error") && document.getElementById(id);
        return place && place.children.length > 0;
      });
      if (wrong && field.matches("input, textarea, select")) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    const theirAbout = page.getElementById("about");
    if (theirAbout && theirAbout.children.length) about.replaceChildren(...theirAbout.childNodes);
    for (const name of ["csrf_token", "submission"]) {
      const field = page.querySelector(`#report [name='${name}']`);
      if (field && field.value) form.elements[name].value = field.value;
    }
    document.getElementById("errors").replaceChildren(...page.getElementById("errors").childNodes);
  }

  function takeErrors(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const summary = page.getElementById("errors");
    if (!summary || !summary.children.length) return false;
    takeForm(page);
    document.querySelector(".ds-error-summary").focus();
    document.querySelector(".ds-error-summary").scrollIntoView({ block: "start" });
    return true;
  }

  // The text was not looked at as others will see it: that comes first, and then the same button sends.
  function takeStep(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const theirs = page.getElementById("before");
    if (!theirs || !theirs.children.length) return false;
    takeForm(page);
    box.replaceChildren();
    before.replaceChildren(...theirs.childNodes);
    after.replaceChildren(...page.getElementById("after").childNodes);
    label.textContent = sendLabel = page.querySelector("#send span").textContent;
    before.querySelector("[tabindex='-1']").focus({ preventScroll: true });
    before.scrollIntoView({ block: "start" });
    return true;
  }

  function leaveStep() {
    if (!before.children.length) return;
    before.replaceChildren();
    after.replaceChildren();
    label.textContent = sendLabel = send.dataset.label;
  }

  form.addEventListener("click", (event) => {
    if (!event.target.closest("[data-change-text]")) return;
    event.preventDefault();
    text.focus({ preventScroll: true });
    text.scrollIntoView({ block: "center" });
  });

  form.addEventListener("submit", async (event) => {
    const action = event.submitter && event.submitter.getAttribute("formaction");
    if (action) return;
    event.preventDefault();
    if (sending) return;
    save();
    problem.hidden = true;
    if (photos.problem()) {
      failed(photos.problem());
      return;
    }
    if (!navigator.onLine) {
      failed(say.offline);
      return;
    }
    busy(true);
    if (photos.moving()) {
      await photos.arrive((share) => {
        label.textContent = send.dataset.photos.replace("{percent}", Math.floor(100 * share));
      });
      if (photos.problem()) {
        failed(photos.problem());
        return;
      }
    }
    // From here on a photo that came or went would not be in what is sent.
    photoField.inert = true;
    post();
  });

  function post() {
    label.textContent = send.dataset.sending;
    const request = new XMLHttpRequest();
    // Buttons of the form are named "action", so the property of that name is not the address.
    request.open("POST", form.getAttribute("action"));
    request.timeout = 300000;
    request.upload.addEventListener("progress", ({ loaded, total, lengthComputable }) => {
      if (!lengthComputable || total < 500000) return;
      label.textContent = loaded < total ? send.dataset.progress.replace("{percent}", Math.floor((100 * loaded) / total)) : send.dataset.working;
      if (loaded === total) status.textContent = send.dataset.working;
    });
    request.addEventListener("load", () => {
      const again = request.responseURL === new URL(form.getAttribute("action"), location.href).href;
      if (request.status < 300 && !again && request.responseURL !== location.href) {
        try {
          sessionStorage.removeItem(KEEP);
          sessionStorage.setItem(SENT, form.elements.submission.value);
        } catch {
          // There is nothing to remove.
        }
        location.assign(request.responseURL);
        return;
      }
      busy(false);
      if (request.status === 200 && takeStep(request.responseText)) return;
      if ([422, 429].includes(request.status) && takeErrors(request.responseText)) return;
      failed({ 400: say.expired, 413: say.large, 429: say.busy }[request.status] || say.failed);
    });
    request.addEventListener("error", () => failed(navigator.onLine ? say.failed : say.offline));
    request.addEventListener("timeout", () => failed(say.failed));
    request.send(new FormData(form));
  }
})();
