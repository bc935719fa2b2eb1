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

  // What is marked in the text as it was sent, with the mouse or by Shift and the arrow keys, is hidden in the text as
  // everybody sees it. Nothing is saved before somebody shows that text.
  const original = document.getElementById("original");
  const tool = document.getElementById("mask-tool");
  if (original && tool) {
    const target = document.getElementById("public_text");
    const said = document.getElementById("mask-said");
    tool.hidden = false;
    // An editor that takes no edit has a caret for the keyboard, which a plain text has not.
    original.contentEditable = "true";
    original.setAttribute("role", "textbox");
    original.setAttribute("aria-multiline", "true");
    original.setAttribute("aria-readonly", "true");
    original.inputMode = "none";
    original.spellcheck = false;
    for (const type of ["beforeinput", "paste", "drop", "cut", "dragstart"]) {
      original.addEventListener(type, (event) => event.preventDefault());
    }

    let marked = null;
    document.addEventListener("selectionchange", () => {
      const selection = document.getSelection();
      if (!selection.rangeCount || !original.contains(selection.getRangeAt(0).commonAncestorContainer)) return;
      // It is remembered, because a press on the button may take the selection away.
      marked = selection.isCollapsed ? null : selection.getRangeAt(0).cloneRange();
    });

    // The words as the public text has them: what is hidden already stands there as its mask.
    function publicWords(range) {
      const copy = range.cloneContents();
      for (const found of copy.querySelectorAll("mark")) found.replaceWith(found.dataset.mask);
      return copy.textContent;
    }

    // A mark that is chosen in part is chosen as a whole, for its mask has no parts.
    function whole(range) {
      const grown = range.cloneRange();
      const markOf = (node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest("mark");
      const first = markOf(range.startContainer);
      const last = markOf(range.endContainer);
      if (first) grown.setStartBefore(first);
      if (last) grown.setEndAfter(last);
      return grown;
    }

    function placeOf(words, near) {
      let best = -1;
      for (let at = target.value.indexOf(words); at >= 0; at = target.value.indexOf(words, at + 1)) {
        if (best < 0 || Math.abs(at - near) < Math.abs(best - near)) best = at;
      }
      return best;
    }

    document.getElementById("mask-marked").addEventListener("click", () => {
      if (!marked) {
        said.textContent = tool.dataset.none;
        return;
      }
      const range = whole(marked);
      const before = document.createRange();
      before.setStart(original, 0);
      before.setEnd(range.startContainer, range.startOffset);
      const all = publicWords(range);
      const words = all.trim();
      const near = publicWords(before).length + all.length - all.trimStart().length;
      const at = words ? placeOf(words, near) : -1;
      if (at < 0) {
        said.textContent = words ? tool.dataset.lost : tool.dataset.none;
        return;
      }
      const mask = document.getElementById("mask-kind").value;
      target.setRangeText(mask, at, at + words.length, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
      said.textContent = tool.dataset.done.replace("{mask}", mask);
    });
  }
})();
