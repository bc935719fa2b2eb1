// The photos of a report: each is made smaller and travels by itself as soon as it is chosen, and can be taken out
// again. What does not get through by itself goes along with the form, as in a browser without this script.
"use strict";

(() => {
  const field = document.getElementById("photo-field");
  if (!field) return;
  const say = field.dataset;
  const form = field.closest("form");
  const list = document.getElementById("photo-list");
  const input = document.getElementById("photos");
  const live = document.getElementById("photos-live");
  const SIDE = 2048;
  const QUALITY = 0.85;
  const LIGHT = 1_500_000;
  const TOGETHER = 2;
  const WAITS_S = [1, 2, 4, 8, 16, 30];
  const STALLED_S = 40;
  const MOVING = ["preparing", "queued", "sending", "waiting"];
  let items = [];
  let arriving = null;

  // Rows ---------------------------------------------------------------------------------------------------------

  const part = (item, name) => item.row.querySelector(`[data-${name}]`);

  function adopt(row, item) {
    item.row = row;
    items.push(item);
    const remove = part(item, "remove");
    remove.type = "button";
    remove.addEventListener("click", () => take(item));
    part(item, "again").addEventListener("click", () => {
      // The button goes away, so what comes next takes the focus.
      remove.focus();
      retry(item);
    });
    return item;
  }

  function add(name, item) {
    const row = document.getElementById("photo-row").content.firstElementChild.cloneNode(true);
    row.querySelector(".photo-name").textContent = name;
    for (const place of row.querySelectorAll("[data-name]")) place.textContent = ` ${name}`;
    row.querySelector("[data-progress]").setAttribute("aria-label", name);
    list.append(row);
    return adopt(row, { name, token: "", file: null, blob: null, tries: 0, share: 0, ...item });
  }

  function show(item, at, words = "") {
    item.at = item.row.dataset.at = at;
    const progress = part(item, "progress");
    part(item, "way").hidden = false;
    progress.hidden = !["preparing", "queued", "sending"].includes(at);
    if (at === "preparing") progress.removeAttribute("value");
    else progress.value = Math.floor(100 * item.share);
    part(item, "again").hidden = !["waiting", "stuck"].includes(at);
    part(item, "state").textContent = words || say[at] || "";
    if (arriving) arriving();
    if (["there", "refused", "stuck", "later"].includes(at)) {
      tell(at === "there" ? (items.every((other) => other.token) ? say.allThere : "") : `${item.name}: ${words || say[at]}`);
      document.dispatchEvent(new CustomEvent("gatami:photos"));
    }
  }

  function tell(words) {
    if (words) live.textContent = words;
  }

  function complain(message) {
    const slot = document.getElementById("photos-error");
    slot.replaceChildren();
    if (!message) return;
    const line = document.createElement("span");
    line.className = "ds-validation-message";
    line.textContent = message;
    slot.append(line);
    tell(message);
  }

  function refuse(item, message) {
    // What is too large goes nowhere; of everything else the form asks once more when it is sent.
    show(item, "refused", message.replace("{name}", item.name));
  }

  function drop(item) {
    item.blob = null;
    for (const name of ["kept_photo", "caption"]) item.row.querySelector(`[name=${name}]`).disabled = true;
  }

  function take(item) {
    const place = items.indexOf(item);
    items = items.filter((other) => other !== item);
    clearTimeout(item.timer);
    if (item.request) item.request.abort();
    if (item.url) URL.revokeObjectURL(item.url);
    if (item.token) forget(item.token);
    item.row.remove();
    const next = items[place] || items[place - 1];
    if (next) part(next, "remove").focus();
    else input.focus();
    tell(say.removed.replace("{name}", item.name));
    // What was wrong with it is no longer wrong.
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (arriving) arriving();
    pump();
  }

  function posted(name, ...value) {
    const data = new FormData();
    data.append("csrf_token", form.elements.csrf_token.value);
    data.append(name, ...value);
    return data;
  }

  function forget(token) {
    // Whatever the answer is: what nobody sends is gone from the server within a day.
    fetch(say.door, { method: "DELETE", body: posted("kept_photo", token), keepalive: true }).catch(() => {});
  }

  // Making smaller -----------------------------------------------------------------------------------------------

  // Still pictures that the server takes too. Everything else goes as it is, so that its fault is told and not mended.
  async function isStill(file) {
    const head = new TextDecoder("latin1").decode(await file.slice(0, 4096).arrayBuffer());
    if (/^.PNG.*acTL|^RIFF.{4}WEBP.*ANIM/s.test(head)) return false;
    return /^\xff\xd8\xff|^.PNG\r\n|^RIFF.{4}WEBP|^.{4}ftyp(?:hei|mif1|avif)/s.test(head);
  }

  function thumbnail(item, blob) {
    const before = item.url;
    item.url = URL.createObjectURL(blob);
    const image = new Image();
    image.alt = "";
    return new Promise((resolve) => {
      image.addEventListener("load", () => {
        const { naturalWidth: width, naturalHeight: height } = image;
        // A picture with too many pixels is not drawn: that alone could be too much for a phone.
        if (width * height <= Number(say.pixels)) item.row.querySelector(".photo-thumb").replaceChildren(image);
        if (before) URL.revokeObjectURL(before);
        resolve({ width, height });
      });
      // A HEIC that this browser cannot show keeps its symbol. The server can read it.
      image.addEventListener("error", () => resolve(null));
      image.src = item.url;
    });
  }

  // Some browsers blur what a page reads from a canvas, so that nobody is recognised by it.
  function canvasIsTrue() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 2;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#c81e46";
    pen.fillRect(0, 0, 2, 2);
    const seen = pen.getImageData(0, 0, 2, 2).data;
    return seen.every((value, place) => value === [0xc8, 0x1e, 0x46, 0xff][place % 4]);
  }

  async function smaller(file, { width, height }) {
    const scale = Math.min(1, SIDE / Math.max(width, height));
    if ((scale === 1 && file.size <= LIGHT) || !canvasIsTrue()) return file;
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const pen = canvas.getContext("2d");
    // A JPEG has no transparency.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    const made = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    canvas.width = canvas.height = 0;
    return made && made.size < file.size ? made : file;
  }

  async function prepare(item) {
    if (!items.includes(item)) return;
    try {
      const size = await item.size;
      if (size && size.width * size.height > Number(say.pixels)) {
        drop(item);
        refuse(item, say.tooManyPixels);
        return;
      }
      if (size && (await isStill(item.file))) item.blob = await smaller(item.file, size);
      if (items.includes(item) && item.blob !== item.file) thumbnail(item, item.blob);
    } catch {
      // Whatever the browser could not do with it, the file itself travels.
      item.blob = item.file;
    }
    if (!items.includes(item)) return;
    if (item.blob.size > Number(say.bytes)) {
      drop(item);
      refuse(item, say.tooLarge);
    } else {
      show(item, "queued", say.sending.replace("{percent}", 0));
      pump();
    }
  }

  // Travelling ---------------------------------------------------------------------------------------------------

  function pump() {
    for (const item of items) {
      if (items.filter(({ at }) => at === "sending").length >= TOGETHER) return;
      if (item.at === "queued") travel(item);
    }
  }

  function travel(item) {
    const request = new XMLHttpRequest();
    item.request = request;
    item.share = 0;
    let stalled;
    const alive = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => {
        request.abort();
        broken(item);
        pump();
      }, STALLED_S * 1000);
    };
    request.open("POST", say.door);
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      alive();
      item.share = total ? loaded / total : 0;
      show(item, "sending", item.share < 1 ? say.sending.replace("{percent}", Math.floor(100 * item.share)) : say.checking);
    });
    request.addEventListener("load", () => answered(item, request.status, request.response || {}));
    request.addEventListener("error", () => broken(item));
    request.addEventListener("loadend", () => {
      clearTimeout(stalled);
      pump();
    });
    show(item, "sending", say.sending.replace("{percent}", 0));
    alive();
    request.send(posted("photos", item.blob, item.name));
  }

  function answered(item, status, answer) {
    if (status === 201) {
      item.token = item.row.querySelector("[name=kept_photo]").value = answer.token;
      item.at_ms = Date.now();
      show(item, "there");
    } else if (status === 422 && answer.error) {
      refuse(item, answer.error);
    } else if (status === 413) {
      drop(item);
      refuse(item, say.tooLarge);
    } else if (status === 400) {
      show(item, "stuck", say.expired);
    } else if (status === 429) {
      show(item, "later");
    } else {
      broken(item);
    }
  }

  function broken(item) {
    const wait = WAITS_S[item.tries];
    item.tries += 1;
    item.share = 0;
    if (arriving && item.tries > 1) {
      // Somebody waits for the report to be sent; the form brings the photo along.
      show(item, "later");
    } else if (wait === undefined) {
      show(item, "stuck");
    } else {
      show(item, "waiting", navigator.onLine ? say.waiting : say.offline);
      item.timer = setTimeout(() => retry(item, item.tries), wait * 1000);
    }
  }

  function retry(item, tries = 0) {
    clearTimeout(item.timer);
    item.tries = tries;
    show(item, "queued", say.sending.replace("{percent}", 0));
    pump();
  }

  function retryAll() {
    for (const item of items) if (["waiting", "stuck"].includes(item.at)) retry(item);
  }

  window.addEventListener("online", retryAll);

  // Where a picture was taken ------------------------------------------------------------------------------------

  let reader = null;

  function loadReader() {
    reader ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = say.reader;
      script.addEventListener("load", () => resolve(window.ExifReader));
      script.addEventListener("error", () => {
        reader = null;
        resolve(null);
      });
      document.head.append(script);
    });
    return reader;
  }

  async function offerPlace(item) {
    let gps;
    try {
      const exif = await loadReader();
      const bytes = await item.file.slice(0, Number(say.bytes)).arrayBuffer();
      gps = exif.load(bytes, { expanded: true, includeTags: { gps: true } }).gps;
    } catch {
      // Most pictures have none, and some cannot be read at all.
      return;
    }
    const { Latitude: lat, Longitude: lon } = gps || {};
    // A camera that did not find itself writes nothing, or zero for both.
    if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180) || (lat === 0 && lon === 0)) return;
    part(item, "place").hidden = false;
    part(item, "use-place").addEventListener("click", () => {
      form.elements.lat.value = lat.toFixed(6);
      form.elements.lon.value = lon.toFixed(6);
      // As if it had been typed: the map moves, and what belongs to the place is fetched.
      form.elements.lon.dispatchEvent(new Event("input", { bubbles: true }));
      form.elements.lon.dispatchEvent(new Event("change", { bubbles: true }));
      for (const other of items) part(other, "placed").textContent = other === item ? say.placeUsed : "";
    });
  }

  // Choosing -----------------------------------------------------------------------------------------------------

  let turn = Promise.resolve();

  function choose(files) {
    let problem = "";
    for (const file of files) {
      const known = ({ file: other }) => other && other.name === file.name && other.size === file.size && other.lastModified === file.lastModified;
      if (items.some(known)) continue;
      if (items.length >= Number(say.most)) {
        problem = say.tooMany;
        break;
      }
      const item = add(file.name, { file, blob: file });
      item.size = thumbnail(item, file);
      show(item, "preparing");
      offerPlace(item);
      // One at a time: an opened picture takes fifty times the memory of its file.
      turn = turn.then(() => prepare(item));
    }
    complain(problem);
  }

  for (const one of [input, document.getElementById("camera")]) {
    one.addEventListener("change", () => {
      choose([...one.files]);
      // The photos have rows of their own now, and the same one may be chosen again after it was removed.
      one.value = "";
    });
  }

  form.addEventListener("formdata", ({ formData }) => {
    for (const { token, blob, name } of items) if (!token && blob) formData.append("photos", blob, name);
  });

  for (const row of document.querySelectorAll("#kept .photo-row")) {
    const token = row.querySelector("[name=kept_photo]").value;
    adopt(row, { name: row.querySelector(".photo-name").textContent, token, at: "there", at_ms: Date.now() });
  }

  // For the rest of the form -------------------------------------------------------------------------------------

  window.gatami = window.gatami || {};
  window.gatami.photos = {
    /** Resolves when no photo is on its way any more; `progress` hears the share (0..1) that has arrived. */
    arrive(progress) {
      retryAll();
      return new Promise((resolve) => {
        arriving = () => {
          const weigh = ({ blob, token, share }) => (blob ? blob.size * (token ? 1 : share) : 0);
          const all = items.reduce((sum, { blob }) => sum + (blob ? blob.size : 0), 0);
          progress(all ? items.reduce((sum, item) => sum + weigh(item), 0) / all : 1);
          if (items.some(({ at }) => MOVING.includes(at))) return;
          arriving = null;
          resolve();
        };
        arriving();
      });
    },

    moving: () => items.some(({ at }) => MOVING.includes(at)),

    /** What is wrong with a photo that cannot even be sent; empty where there is none. */
    problem: () => items.filter(({ at, token, blob }) => at === "refused" && !token && !blob).map((item) => part(item, "state").textContent)[0] || "",

    /** What a reload of the page can bring back. */
    kept: () =>
      items.filter(({ token }) => token).map(({ token, name, at_ms, row }) => ({ token, name, at_ms, caption: row.querySelector("[name=caption]").value })),

    restore(kept) {
      for (const { token, name, at_ms, caption } of kept) {
        if (Date.now() - at_ms > 20 * 3600_000 || items.some((item) => item.token === token)) continue;
        const item = add(name, { token, at_ms });
        item.row.querySelector("[name=kept_photo]").value = token;
        item.row.querySelector("[name=caption]").value = caption;
        show(item, "there");
      }
    },
  };
})();
