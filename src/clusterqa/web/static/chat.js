// What a chat page does in the browser beside Gradio: the tab's conversation id, focus, feedback, copying with the source.
(() => {
  const KEY = "clusterqa-conversation";

  function storage(use) {
    try { return use(window.sessionStorage); } catch { return null; } // closed to us, as in some frames
  }
  let own = null;
  function fresh() {
    own = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    storage((kept) => kept.setItem(KEY, own));
    return own;
  }
  const conversation = () => storage((kept) => kept.getItem(KEY)) || own || fresh();
  const renewed = () => { const old = conversation(); fresh(); focus(); return old; };
  const box = () => document.querySelector("#question textarea, #question input");
  const focus = () => box()?.focus({ preventScroll: true });
  window.clusterqa = { conversation, renewed, sent };

  // The box has the focus from the start, but not where that would push a keyboard over the page.
  function greet(until = performance.now() + 15000) {
    if (!matchMedia("(pointer: fine)").matches) return;
    if (box()) focus();
    else if (performance.now() < until) requestAnimationFrame(() => greet(until)); // Gradio is still building the page
  }

  function told(element) {
    const quotation = element.closest(".cq-quotation");
    return quotation ? quotation.dataset.citation : null;
  }

  async function copy(button) {
    const quotation = button.closest(".cq-quotation");
    const text = `${quotation.querySelector("blockquote").innerText.trim()}\n\n— ${quotation.dataset.citation}`;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no permission, or no secure context: the old way
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = button.dataset.copied;
    say(button.dataset.copied);
    setTimeout(() => { button.textContent = before; button.focus({ preventScroll: true }); }, 1600);
  }

  async function feedback(button) {
    const group = button.closest(".cq-feedback");
    const turns = group.closest(".cq-turns");
    const helpful = button.dataset.helpful === "true";
    const body = { id: group.dataset.id, helpful, reason: button.dataset.reason || null };
    let kept = false;
    try {
      const answer = await fetch("../api/v1/feedback", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      kept = answer.ok;
    } catch { /* reported below */ }
    if (kept && !helpful && !button.dataset.reason) {
      const why = group.querySelector(".cq-why");
      why.hidden = false;
      group.querySelectorAll(":scope > button, :scope > .cq-ask").forEach((part) => part.remove());
      why.querySelector("button").focus({ preventScroll: true });
      return;
    }
    const text = kept ? turns.dataset.thanks : turns.dataset.failed;
    if (kept) group.textContent = text;
    say(text);
    if (kept) focus();
  }

  const words = () => document.querySelector("#cq-header .cq-bar")?.dataset ?? {};

  // The last turn, as the server draws it while a question waits; shown here at once, for the server may be far or busy.
  function waiting(question, text, kind) {
    const turns = document.querySelector("#cq-conversation .cq-turns");
    if (!turns) return;
    turns.querySelector(".cq-waiting")?.remove();
    const make = (name, className, ...children) => {
      const element = Object.assign(document.createElement(name), { className });
      element.append(...children);
      return element;
    };
    const turn = make("section", "cq-turn cq-waiting", make("div", "cq-reply", make("p", `cq-remark ${kind}`, text)));
    if (question) turn.prepend(make("div", "cq-question", make("p", "", question)));
    turns.append(turn);
  }

  // What a question takes along when it is sent: the text, and the id of the conversation.
  function sent(question) {
    if (question.trim()) waiting(question, words().pending, "cq-remark-pending");
    return [question, conversation()];
  }

  // When Gradio itself fails (its queue is full, the connection is gone) it says so in English in a corner. The page says it
  // under the question instead, in its own language, and puts the question back into the box.
  function failed(toast) {
    const text = /currently busy/.test(toast.textContent) ? words().busy : words().lost;
    const question = document.querySelector(".cq-waiting .cq-question p")?.textContent || box()?.value || "";
    waiting(question, text, "");
    if (question && box() && !box().value) {
      box().value = question;
      box().dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  // One live region that stays while the conversation is drawn again: screen readers hear the reply once.
  let region = null;
  function say(text) {
    if (!region) {
      region = Object.assign(document.createElement("div"), { className: "cq-hidden" });
      region.setAttribute("role", "status");
      document.body.append(region);
    }
    region.textContent = text;
  }

  let shown = null;
  function changed() {
    const turns = document.querySelectorAll("#cq-conversation .cq-turn");
    const last = turns[turns.length - 1];
    if (!last) {
      if (shown === null) greet();
      shown = 0;
      return;
    }
    const state = `${turns.length} ${last.className} ${last.innerText}`;
    if (state === shown) return;
    const first = shown === null;
    shown = state;
    last.scrollIntoView({ block: "start", behavior: "instant" });
    if (first) { greet(); return; }
    const reply = last.querySelector(".cq-message, .cq-remark");
    const quoted = last.querySelector("blockquote");
    say([reply?.innerText, quoted?.innerText.replaceAll("**", "")].filter(Boolean).join(" "));
    focus();
  }

  new MutationObserver(() => {
    for (const toast of document.querySelectorAll(".toast-wrap .toast-item")) {
      if (toast.dataset.told === toast.textContent) continue; // a repeated error only counts up in the same toast
      toast.dataset.told = toast.textContent;
      failed(toast);
    }
    if (document.documentElement.lang !== wanted) document.documentElement.lang = wanted;
    const here = document.querySelector("#cq-conversation");
    if (here && !here.dataset.watched) {
      here.dataset.watched = "yes";
      new MutationObserver(changed).observe(here, { childList: true, subtree: true });
      changed();
    }
  }).observe(document, { childList: true, characterData: true, subtree: true });
  const wanted = document.documentElement.lang;

  document.addEventListener("clusterqa:opened", () => greet()); // by the widget, which has given us the focus
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const language = target?.closest(".cq-languages a");
    if (language) {
      document.cookie = `clusterqa_language=${language.dataset.language}; path=/; max-age=31536000; samesite=lax`;
      return;
    }
    if (target?.closest(".cq-skip")) { event.preventDefault(); focus(); return; }
    const button = target?.closest("button");
    if (button?.matches(".cq-copy")) copy(button);
    else if (button?.closest(".cq-feedback")) feedback(button);
  });

  document.addEventListener("copy", (event) => {
    const selection = document.getSelection();
    const node = selection?.anchorNode;
    const element = node instanceof Element ? node : node?.parentElement;
    const citation = element ? told(element) : null;
    if (!citation || !event.clipboardData || selection.isCollapsed) return;
    event.clipboardData.setData("text/plain", `${selection.toString().trim()}\n\n— ${citation}`);
    event.preventDefault();
  });
})();
