// What is covered in a photo: boxes over the picture, by mouse, finger and keyboard. The list beside the picture is the
// form that is sent, and works alone; this script writes into it, and does its steps without asking the server.
"use strict";

(() => {
  const form = document.getElementById("boxes-form");
  if (!form) return;
  const { found, words } = JSON.parse(document.getElementById("boxes-data").textContent);
  const view = document.getElementById("box-view");
  const stage = document.getElementById("box-stage");
  const image = document.getElementById("box-image");
  const layer = document.getElementById("box-layer");
  const list = document.getElementById("box-list");
  const template = document.getElementById("box-row").content.firstElementChild;
  const live = document.getElementById("live");
  const SIDES = ["left", "top", "width", "height"];
  const MOST = Number(form.dataset.most);
  const LEAST = 0.5; // per cent of a side: what is smaller is a slip of the hand
  const STEP = 0.5; // per cent that an arrow key moves
  const ZOOMS = [1, 1.5, 2, 3, 4];

  let numbered = 0;
  let boxes = [...list.children].map(read);
  let past = [];
  let future = [];
  let latest = null; // the last small step, so that steps of one kind in a row are undone as one
  let chosen = null;
  let drag = null;
  let draws = false;
  let zoom = 0;
  let sent = false;

  // Reading and writing ------------------------------------------------------------------------------------------

  function number(text) {
    const value = Number(text.trim().replace(",", "."));
    return text.trim() && Number.isFinite(value) ? value : NaN;
  }

  function read(row) {
    const box = { id: (numbered += 1), kind: row.querySelector("[name=kind]").value, source: row.dataset.source };
    for (const side of SIDES) box[side] = number(row.querySelector(`[name=${side}]`).value);
    row.dataset.id = box.id;
    return box;
  }

  const made = (values) => ({ id: (numbered += 1), kind: "drawn", source: words.by_person, ...values });
  const copy = () => boxes.map((box) => ({ ...box }));
  const rounded = (value) => String(Math.round(value * 100) / 100).replace(".", words.decimal_mark);
  const same = (one, other) => one.kind === other.kind && SIDES.every((s) => rounded(one[s]) === rounded(other[s]));
  const fromMachine = () =>
    found.map((box) => made({ ...box, ...Object.fromEntries(SIDES.map((side) => [side, number(box[side])])) }));

  // What a machine found is a person's as soon as a person has moved it.
  function change(box, values) {
    Object.assign(box, values, { source: words.by_person });
  }

  function say(...texts) {
    live.textContent = texts.join(" ");
  }

  function counted() {
    if (boxes.length < 2) return boxes.length ? words.count_one : words.count_none;
    return words.count.replace("{number}", boxes.length);
  }

  // Undo ---------------------------------------------------------------------------------------------------------

  function remember(what = null, before = copy()) {
    if (!what || !latest || latest.what !== what || Date.now() - latest.at > 1500) {
      past.push(before);
      if (past.length > 200) past.shift();
    }
    latest = what && { what, at: Date.now() };
    future = [];
  }

  function step(from, to, text) {
    if (!from.length) return;
    to.push(copy());
    boxes = from.pop();
    latest = null;
    render();
    say(text, counted());
  }

  // Showing ------------------------------------------------------------------------------------------------------

  function render() {
    boxes.forEach((box, at) => {
      showRow(box, at);
      showBox(box, at);
    });
    const there = new Set(boxes.map((box) => String(box.id)));
    for (const element of [...list.children, ...layer.children]) if (!there.has(element.dataset.id)) element.remove();
    document.getElementById("box-none").hidden = boxes.length > 0;
    for (const [name, on] of [
      ["undo", past.length],
      ["redo", future.length],
      ["closer", zoom < ZOOMS.length - 1],
      ["farther", zoom],
    ]) {
      form.querySelector(`[data-do=${name}]`).setAttribute("aria-disabled", String(!on));
    }
  }

  const rowOf = (id) => list.querySelector(`[data-id="${id}"]`);
  const elementOf = (id) => layer.querySelector(`[data-id="${id}"]`);
  const boxOf = (id) => boxes.find((box) => String(box.id) === String(id));

  function showRow(box, at) {
    let row = rowOf(box.id);
    if (!row) {
      row = template.cloneNode(true);
      row.dataset.id = box.id;
      list.append(row);
    }
    if (list.children[at] !== row) list.insertBefore(row, list.children[at]);
    row.dataset.source = box.source;
    row.querySelector(".box-source").textContent = box.source;
    row.querySelector(".box-number").textContent = at + 1;
    for (const said of row.querySelectorAll(".box-said")) said.textContent = at + 1;
    row.querySelector("[name=kind]").value = box.kind;
    row.querySelector("[name=left]").id = `box-${at + 1}`;
    row.querySelector("[data-error-slot]").id = `box-${at + 1}-error`;
    row.querySelector(".box-remove").value = `remove-${at}`;
    for (const side of SIDES) {
      const field = row.querySelector(`[name=${side}]`);
      // What is typed and is no number yet stays as it is typed.
      if (!Number.isNaN(box[side]) && number(field.value) !== number(rounded(box[side]))) field.value = rounded(box[side]);
    }
    row.toggleAttribute("data-chosen", box.id === chosen);
  }

  function showBox(box, at) {
    let element = elementOf(box.id);
    if (SIDES.some((side) => Number.isNaN(box[side]))) {
      if (element) element.remove();
      return;
    }
    if (!element) {
      element = document.createElement("div");
      element.className = "box";
      element.dataset.id = box.id;
      element.tabIndex = 0;
      element.setAttribute("role", "button");
      element.setAttribute("aria-roledescription", words.role);
      element.setAttribute("aria-describedby", "box-help");
      element.append(Object.assign(document.createElement("span"), { className: "box-badge" }));
      for (const corner of ["nw", "ne", "sw", "se"]) {
        const handle = Object.assign(document.createElement("span"), { className: "box-handle" });
        handle.dataset.corner = corner;
        element.append(handle);
      }
      layer.append(element);
    }
    for (const side of SIDES) element.style[side] = `${box[side]}%`;
    element.firstElementChild.textContent = at + 1;
    const kind = rowOf(box.id).querySelector("[name=kind]").selectedOptions[0].textContent;
    const values = { number: at + 1, kind: kind.toLowerCase(), ...box };
    for (const side of SIDES) values[side] = Math.round(box[side]);
    values.kind = kind.toLowerCase();
    element.setAttribute("aria-label", words.box.replace(/\{(\w+)\}/g, (_, name) => values[name]));
    element.toggleAttribute("data-chosen", box.id === chosen);
  }

  function choose(id) {
    if (chosen === id) return;
    chosen = id;
    for (const element of [...list.children, ...layer.children]) {
      element.toggleAttribute("data-chosen", element.dataset.id === String(id));
    }
  }

  // Changing -----------------------------------------------------------------------------------------------------

  const within = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

  function moved(box, x, y) {
    return { left: within(box.left + x, 0, 100 - box.width), top: within(box.top + y, 0, 100 - box.height) };
  }

  // The corner that is dragged follows; the one across stays where it is.
  function sized(box, corner, x, y) {
    const values = {};
    const right = box.left + box.width;
    const bottom = box.top + box.height;
    values.left = corner.includes("w") ? within(box.left + x, 0, right - LEAST) : box.left;
    values.top = corner.includes("n") ? within(box.top + y, 0, bottom - LEAST) : box.top;
    values.width = corner.includes("e") ? within(box.width + x, LEAST, 100 - box.left) : right - values.left;
    values.height = corner.includes("s") ? within(box.height + y, LEAST, 100 - box.top) : bottom - values.top;
    return values;
  }

  function add(values) {
    if (boxes.length >= MOST) {
      say(words.full);
      return null;
    }
    const box = made(values);
    boxes.push(box);
    return box;
  }

  // In the middle of what is seen of the picture, since one may have looked closer at a part of it.
  function addInTheMiddle() {
    const all = stage.getBoundingClientRect();
    const seen = view.getBoundingClientRect();
    const share = (from, to, start, length) => {
      const first = within(((Math.max(from, start) - start) / length) * 100, 0, 100);
      const last = within(((Math.min(to, start + length) - start) / length) * 100, 0, 100);
      return last - first > 1 ? [first, last] : [0, 100];
    };
    const [left, right] = all.width ? share(seen.left, seen.right, all.left, all.width) : [0, 100];
    const top = Math.max(seen.top, 0);
    const bottom = Math.min(seen.bottom, window.innerHeight);
    const [upper, lower] = all.height ? share(top, bottom, all.top, all.height) : [0, 100];
    const width = (right - left) / 5;
    const height = (lower - upper) / 5;
    remember();
    const box = add({ left: (left + right - width) / 2, top: (upper + lower - height) / 2, width, height });
    if (!box) {
      past.pop();
      return;
    }
    render();
    focus(box.id);
    say(words.added);
  }

  function focus(id) {
    const element = view.hidden ? rowOf(id).querySelector("select") : elementOf(id);
    choose(id);
    element.focus();
  }

  function remove(id, place) {
    const at = boxes.findIndex((box) => String(box.id) === String(id));
    if (at < 0) return;
    remember();
    boxes.splice(at, 1);
    render();
    const next = boxes[Math.min(at, boxes.length - 1)];
    const target = next && (place === "row" ? rowOf(next.id).querySelector(".box-remove") : elementOf(next.id));
    (target || form.querySelector("[name=act][value=add]")).focus();
    say(words.removed, counted());
  }

  function replace(list_) {
    remember();
    boxes = list_.slice(0, MOST);
    render();
    say(counted());
  }

  const steps = {
    add: addInTheMiddle,
    all: () => replace([...boxes, ...fromMachine().filter((box) => !boxes.some((other) => same(box, other)))]),
    again: () => replace(fromMachine()),
    stay: () => {},
  };

  const tools = {
    undo: () => step(past, future, words.undone),
    redo: () => step(future, past, words.redone),
    closer: () => scale(zoom + 1),
    farther: () => scale(zoom - 1),
    draw(button) {
      draws = !draws;
      button.setAttribute("aria-pressed", String(draws));
      stage.toggleAttribute("data-draws", draws);
      say(draws ? words.drawing : words.scrolling);
    },
  };

  // The middle of what is seen stays in the middle.
  function scale(to) {
    if (to < 0 || to >= ZOOMS.length) return;
    const x = (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth;
    const y = (view.scrollTop + view.clientHeight / 2) / view.scrollHeight;
    zoom = to;
    stage.style.width = `${ZOOMS[zoom] * 100}%`;
    view.scrollTo(x * view.scrollWidth - view.clientWidth / 2, y * view.scrollHeight - view.clientHeight / 2);
    render();
  }

  // Mouse and finger ---------------------------------------------------------------------------------------------

  stage.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary) {
      // A second finger: somebody pinches, and draws nothing.
      cancel();
      return;
    }
    if (event.button !== 0 || drag) return;
    const element = event.target.closest(".box");
    // A finger on the bare picture moves the page, unless it is meant to draw.
    if (!element && event.pointerType !== "mouse" && !draws) return;
    event.preventDefault();
    const all = stage.getBoundingClientRect();
    const start = { x: event.clientX, y: event.clientY, before: copy(), pointer: event.pointerId, all };
    if (element) {
      const box = boxOf(element.dataset.id);
      const handle = event.target.closest(".box-handle");
      choose(box.id);
      element.focus({ preventScroll: true });
      drag = { ...start, box, from: { ...box }, corner: handle && handle.dataset.corner };
    } else {
      const left = within(((event.clientX - all.left) / all.width) * 100, 0, 100);
      const top = within(((event.clientY - all.top) / all.height) * 100, 0, 100);
      drag = { ...start, drawn: { left, top } };
    }
    stage.setPointerCapture(event.pointerId);
  });

  stage.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const x = ((event.clientX - drag.x) / drag.all.width) * 100;
    const y = ((event.clientY - drag.y) / drag.all.height) * 100;
    if (drag.drawn) {
      const right = within(drag.drawn.left + x, 0, 100);
      const bottom = within(drag.drawn.top + y, 0, 100);
      const values = {
        left: Math.min(drag.drawn.left, right),
        top: Math.min(drag.drawn.top, bottom),
        width: Math.abs(right - drag.drawn.left),
        height: Math.abs(bottom - drag.drawn.top),
      };
      if (!drag.box && Math.min(values.width, values.height) < LEAST) return;
      if (!drag.box) drag.box = add(values);
      if (!drag.box) {
        drag = null;
        return;
      }
      Object.assign(drag.box, values, { width: Math.max(values.width, LEAST), height: Math.max(values.height, LEAST) });
      Object.assign(drag.box, moved(drag.box, 0, 0));
      choose(drag.box.id);
    } else {
      change(drag.box, drag.corner ? sized(drag.from, drag.corner, x, y) : moved(drag.from, x, y));
    }
    drag.moved = true;
    render();
  });

  stage.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { box, before, moved: changed } = drag;
    drag = null;
    if (changed) {
      remember(null, before);
      render();
      elementOf(box.id).focus({ preventScroll: true });
    }
  });

  function cancel() {
    if (!drag) return;
    boxes = drag.before;
    drag = null;
    render();
  }
  stage.addEventListener("pointercancel", cancel);
  image.addEventListener("dragstart", (event) => event.preventDefault());

  // Keyboard -----------------------------------------------------------------------------------------------------

  const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

  layer.addEventListener("keydown", (event) => {
    const element = event.target.closest(".box");
    if (!element || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = boxOf(element.dataset.id);
    if (event.key in ARROWS) {
      remember(`${event.shiftKey ? "size" : "move"} ${box.id}`);
      change(box, event.shiftKey ? sized(box, "se", ...ARROWS[event.key]) : moved(box, ...ARROWS[event.key]));
      render();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      remove(box.id, "picture");
    } else if (event.key === "Enter" || event.key === " ") {
      rowOf(box.id).querySelector("select").focus();
    } else if (event.key === "Escape") {
      cancel();
    } else {
      return;
    }
    event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    // While somebody types, the browser undoes what was typed.
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest("input, textarea")) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) tools.undo();
    else if (key === "y" || key === "z") tools.redo();
    else return;
    event.preventDefault();
  });

  // The list and the buttons -------------------------------------------------------------------------------------

  list.addEventListener("change", (event) => {
    const row = event.target.closest(".box-row");
    const box = boxOf(row.dataset.id);
    const { name, value } = event.target;
    const slot = row.querySelector("[data-error-slot]");
    if (name !== "kind" && !(number(value) >= 0 && number(value) <= 100)) {
      event.target.setAttribute("aria-invalid", "true");
      event.target.setAttribute("aria-describedby", slot.id);
      slot.textContent = words.wrong;
      return;
    }
    event.target.removeAttribute("aria-invalid");
    if (!row.querySelector("[aria-invalid]")) slot.textContent = "";
    remember();
    change(box, { [name]: name === "kind" ? value : number(value) });
    if (name !== "kind") {
      // The side that was typed holds, and the rest gives way, so that the box stays in the picture.
      if (name === "width") box.width = Math.max(box.width, LEAST);
      if (name === "height") box.height = Math.max(box.height, LEAST);
      if (name === "left") box.left = Math.min(box.left, 100 - LEAST);
      if (name === "top") box.top = Math.min(box.top, 100 - LEAST);
      if (name === "left") box.width = Math.min(box.width, 100 - box.left);
      if (name === "top") box.height = Math.min(box.height, 100 - box.top);
      if (name === "width") box.left = Math.min(box.left, 100 - box.width);
      if (name === "height") box.top = Math.min(box.top, 100 - box.height);
    }
    render();
  });

  list.addEventListener("focusin", (event) => choose(Number(event.target.closest(".box-row").dataset.id)));
  layer.addEventListener("focusin", (event) => choose(Number(event.target.closest(".box").dataset.id)));

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    // Enter says that the number is written, not that all is done.
    event.preventDefault();
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.dataset.do) {
      if (button.getAttribute("aria-disabled") !== "true") tools[button.dataset.do](button);
    } else if (button && button.name === "act" && (button.value in steps || button.value.startsWith("remove-"))) {
      event.preventDefault();
      if (button.value in steps) steps[button.value]();
      else remove(button.closest(".box-row").dataset.id, "row");
    }
    const link = event.target.closest("[data-look]");
    if (link) {
      event.preventDefault();
      look(link.dataset.look);
    }
  });

  // The picture uncovered is fetched when somebody asks for it, and the server notes each time.
  function look(which) {
    const source = image.dataset[which];
    view.hidden = !source;
    if (source) image.src = source;
    else image.removeAttribute("src");
    for (const element of form.querySelectorAll(".box-plain")) element.hidden = which !== "plain";
    for (const element of form.querySelectorAll(".box-covered")) element.hidden = which === "plain";
    form.elements.uncovered.disabled = which !== "plain";
    document.getElementById("picture-heading").focus();
  }
  image.addEventListener("error", () => {
    if (image.getAttribute("src")) say(words.failed);
  });

  form.addEventListener("submit", () => {
    sent = true;
  });
  window.addEventListener("pageshow", () => {
    sent = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (past.length && !sent) event.preventDefault();
  });

  render();
})();
