// What a chat page does in the browser: it sends one question after the other, keeps what is typed, and shows the answers.
//
// The page comes with a first view of its own (#cq-first), which works at once; questions go to it by fetch. When Gradio has
// built its page, its box and its conversation take the place of ours, and questions go through its queue.
(() => {
  const LONGEST = 2000; // characters of a question, as in conversation.py
  const RETRY = 2000; // ms until a server that is starting is asked again
  const here = (selector) => document.querySelector(selector);
  const box = () => here("#question textarea, #question input");
  const turnsNow = () => here("#cq-conversation .cq-turns");
  const answered = () => [...document.querySelectorAll("#cq-conversation .cq-turn[data-status]")];
  const words = () => here("#cq-header .cq-bar")?.dataset ?? {};
  const focus = () => box()?.focus({ preventScroll: true });
  const asked = (turn) => turn?.querySelector(".cq-question p")?.textContent ?? "";

  // ── what the tab keeps: the conversation's id, the text in the box, questions on their way, the place on the page ──

  const memory = {}; // where the storage is closed to us, as in some frames
  function recall(name) {
    try { return JSON.parse(sessionStorage.getItem(`clusterqa-${name}`)); } catch { return memory[name] ?? null; }
  }
  function keep(name, value) {
    memory[name] = value;
    try { sessionStorage.setItem(`clusterqa-${name}`, JSON.stringify(value)); } catch { /* it is in memory */ }
  }
  const random = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  function fresh() {
    keep("conversation", random(16));
    return recall("conversation");
  }
  const conversation = () => recall("conversation") ?? fresh();

  function write(text) {
    const field = box();
    if (!field) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true })); // Gradio, the height of the box and the draft follow
  }

  // ── one question after the other ──

  let queue = recall("queue") ?? []; // the first may be on its way
  let working = null; // { question, token } of what was sent last
  let paused = false; // after a failure, until the reader goes on
  let note = null; // { question, text, again } of the failure
  const carrying = []; // what Gradio's next events take along

  function submit(text) {
    if (!text.trim()) return false;
    if (text.length > LONGEST) { tooLong(); focus(); return false; }
    note = null;
    if (paused) queue.unshift(text); else queue.push(text);
    paused = false;
    pump();
    return true;
  }

  function submitBox() {
    unhint();
    if (submit(box().value)) write("");
  }

  function pump() {
    keep("queue", queue);
    if (!working && !paused && queue.length) {
      working = { question: queue[0], token: random(4) };
      send(working.question, "", working.token);
    }
    draw();
  }

  function send(question, ended, token) {
    const go = here("#cq-first") ? null : here("#cq-go");
    if (!go) { post(question, ended, token); return; }
    carrying.push([question, conversation(), ended, token]);
    go.click();
  }

  async function post(question, ended, token) {
    const body = new URLSearchParams({ question, conversation: conversation(), ended, token, part: "1" });
    let made = null;
    try {
      const answer = await fetch("ask", { method: "POST", body });
      made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".cq-turns");
      if (!made) { failed("failed", token); return; }
    } catch { failed("lost", token); return; }
    if (made.dataset.state === "starting") {
      made.dataset.state = "warming";
      setTimeout(() => { if (!token || working?.token === token) send(question, "", token); }, RETRY);
    }
    const turns = turnsNow();
    Object.assign(turns.dataset, { state: made.dataset.state, token: made.dataset.token });
    turns.replaceChildren(...made.childNodes);
  }

  // The question that failed goes back into the box, unless something else stands there: then it waits to be asked again.
  function failed(kind, token) {
    if (token !== undefined && working?.token !== token) return;
    const question = working?.question ?? "";
    const held = Boolean(question) && (queue.length > 1 || Boolean(box()?.value.trim()));
    working = null;
    paused = queue.length > 0;
    note = { question, text: words()[kind] ?? kind, again: held };
    if (question && !held) { queue.shift(); paused = false; write(question); }
    keep("queue", queue);
    draw();
    say(note.text);
  }

  function goOn() {
    note = null;
    paused = false;
    pump();
  }

  function renew() {
    const old = conversation();
    queue = [];
    working = note = null;
    paused = false;
    keep("queue", queue);
    fresh();
    history.replaceState(history.state, "", "./");
    send("", old, random(4)); // with a mark, or Gradio might find nothing new in an empty conversation
    scrollTo({ top: 0, behavior: "instant" });
    focus();
  }

  // ── the conversation as the server drew it, and after it what waits ──

  function make(name, className, ...children) {
    const element = Object.assign(document.createElement(name), { className });
    element.append(...children);
    return element;
  }

  function waiting(question, text, kind, again) {
    const reply = make("div", "cq-reply", make("p", `cq-remark ${kind}`, text));
    if (again) reply.append(Object.assign(make("button", "cq-again", words().again), { type: "button" }));
    const turn = make("section", "cq-turn cq-waiting", reply);
    if (question) turn.prepend(make("div", "cq-question", make("p", "", question)));
    return turn;
  }

  function draw() {
    const turns = turnsNow();
    if (!turns) return;
    const w = words();
    const warming = turns.dataset.state === "warming" && turns.dataset.token === working?.token;
    const parts = [];
    if (note) parts.push([note.question, note.text, "", note.again]);
    queue.forEach((question, i) => {
      if (i === 0 && working) parts.push([question, warming ? w.warming : w.pending, `cq-remark-${warming ? "warming" : "pending"}`]);
      else if (i > 0 || !note?.again) parts.push([question, w.waits, "cq-remark-waits"]);
    });
    const state = JSON.stringify(parts);
    const old = [...turns.querySelectorAll(".cq-waiting")];
    if (old.length === parts.length && (parts.length === 0 || turns.dataset.waiting === state)) return;
    old.forEach((turn) => turn.remove());
    turns.dataset.waiting = state;
    const made = parts.map((part) => waiting(...part));
    const tools = turns.querySelector(".cq-tools");
    if (tools) tools.before(...made); else turns.append(...made);
    made[0]?.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  // One live region that stays while the conversation is drawn anew: screen readers hear the reply once.
  let region = null;
  function say(text) {
    if (!region) {
      region = make("div", "cq-hidden");
      region.setAttribute("role", "status");
      document.body.append(region);
    }
    region.textContent = text;
  }

  let begun = false; // whether the turns of an earlier page were looked for
  function changed() {
    const turns = turnsNow();
    if (!turns) return;
    for (const button of turns.querySelectorAll(".cq-print[hidden]")) button.hidden = false;
    if (matchMedia("(max-width: 34rem)").matches) { // short on a phone: what only may help is folded there
      for (const part of turns.querySelectorAll(".cq-nearest[open]:not([data-folded])")) { part.dataset.folded = ""; part.open = false; }
    }
    const { state, token } = turns.dataset;
    if (working && token === working.token) {
      if (state === "done") {
        working = null;
        queue.shift();
        const last = answered().at(-1);
        const link = last?.querySelector(".cq-link");
        if (link) history.replaceState(history.state, "", link.getAttribute("href"));
        tell(last);
        pump();
        last?.scrollIntoView({ block: "start", behavior: "instant" });
        return;
      }
      if (state !== "pending" && state !== "warming") { failed(state); return; }
    }
    draw();
  }

  function tell(turn) {
    const reply = turn?.querySelector(".cq-message");
    const quoted = turn?.querySelector("blockquote");
    say([reply?.innerText, quoted?.innerText].filter(Boolean).join(" "));
  }

  // ── the first view, and Gradio in its place ──

  // The box has the focus from the start, but not where that would push a keyboard over the page.
  const greet = () => { if (matchMedia("(pointer: fine)").matches) focus(); };

  async function begin() {
    const field = box();
    const links = new URLSearchParams(location.search).getAll("q").map((text) => text.trim()).filter(Boolean);
    write(recall("draft") || (links.length ? "" : field.value)); // a browser may bring back what was typed, too
    greet();
    if (recall("conversation")) await post("", "", "");
    const last = asked(answered().at(-1)).trim();
    if (queue.length && last === queue[0].trim()) queue.shift(); // it was answered while the page was away
    if (recall("draft")?.trim() === last) write("");
    begun = true;
    place();
    if (links.length && links.at(-1) !== last && !queue.length) {
      if (last) fresh(); // a link gives the same answer everywhere: nothing said before bears on it
      if (last) turnsNow().replaceChildren();
      if (links.some((text) => text.length > LONGEST)) { write(links.at(-1)); } else queue = links;
    }
    pump();
    if (history.state?.panel) show(history.state.panel);
  }

  let composing = false; // letters that are being put together must not lose their box
  function takeOver() {
    const first = here("#cq-first");
    const app = here("gradio-app");
    const whole = ["#cq-header .cq-bar", "#cq-examples", "#cq-conversation .cq-turns", "#question textarea", "#cq-send", "#cq-go", "#cq-footer .cq-privacy"];
    if (!first || !app || composing || !begun || whole.some((part) => !app.querySelector(part))) return;
    const [mine, theirs] = [first.querySelector("textarea"), app.querySelector("#question textarea")];
    const [turns, theirTurns] = [first.querySelector(".cq-turns"), app.querySelector(".cq-turns")];
    const focused = document.activeElement === mine;
    const { value, selectionStart, selectionEnd } = mine;
    const y = scrollY;
    Object.assign(theirTurns.dataset, turns.dataset);
    theirTurns.replaceChildren(...turns.childNodes);
    app.querySelector(".cq-hints input").checked = hinting();
    app.querySelector(".cq-privacy").open = first.querySelector(".cq-privacy").open;
    first.remove();
    write(value);
    if (focused) { focus(); theirs.setSelectionRange(selectionStart, selectionEnd); }
    scrollTo({ top: y, behavior: "instant" });
    observe();
  }

  function observe() {
    const conversation = here("#cq-conversation");
    if (!conversation || conversation.dataset.watched) return;
    conversation.dataset.watched = "yes";
    new MutationObserver(changed).observe(conversation, { childList: true, subtree: true });
    changed();
  }

  // When Gradio itself fails (its queue is full, the connection is gone) it says so in English in a corner. The page says it
  // under the question instead, in its own language.
  const wanted = document.documentElement.lang;
  new MutationObserver(() => {
    for (const toast of document.querySelectorAll(".toast-wrap .toast-item")) {
      if (toast.dataset.told === toast.textContent) continue; // a repeated error only counts up in the same toast
      toast.dataset.told = toast.textContent;
      failed(/currently busy/.test(toast.textContent) ? "busy" : "lost");
    }
    if (document.documentElement.lang !== wanted) document.documentElement.lang = wanted;
    takeOver();
  }).observe(document, { childList: true, characterData: true, subtree: true });

  addEventListener("online", () => { if (paused) goOn(); });

  // ── the box ──

  function tooLong() {
    const over = box().value.length - LONGEST;
    let told = here(".cq-long");
    if (over <= 0) { told?.remove(); return; }
    if (!told) {
      told = make("p", "cq-long");
      told.setAttribute("role", "status");
      here("#cq-row").before(told);
    }
    told.textContent = `${words().long} ${over}.`;
  }

  document.addEventListener("input", (event) => {
    if (event.target !== box()) return;
    keep("draft", event.target.value);
    tooLong();
    if (event.isTrusted) hint(); // typed, and not written by us
  });
  // ── questions to choose from while one types ──

  let hints = null; // promise of what may be offered
  let chosen = -1;
  const list = () => here("#cq-hints");
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
  const split = (text) => plain(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  const hinting = () => { try { return localStorage.getItem("clusterqa-hints") !== "off"; } catch { return true; } };

  function unhint() {
    chosen = -1;
    list()?.remove();
    const field = box();
    field?.removeAttribute("aria-activedescendant");
    if (field?.role === "combobox") field.setAttribute("aria-expanded", "false");
  }

  async function hint() {
    const field = box();
    const text = field.value;
    const typed = split(text);
    if (!hinting() || typed.join("").length < 3 || text.includes("\n")) { unhint(); return; }
    hints ??= fetch(`../api/v1/questions?language=${wanted}`).then((answer) => answer.json()).catch(() => { hints = null; return []; });
    const known = await hints;
    if (box() !== field || field.value !== text || document.activeElement !== field) return;
    const fitting = known.filter((one) => plain(one) !== plain(text.trim())
      && typed.every((word) => split(one).some((held) => held.startsWith(word)))).slice(0, 5);
    unhint();
    if (!fitting.length) return;
    const made = make("ul", "");
    made.id = "cq-hints";
    made.setAttribute("role", "listbox");
    made.setAttribute("aria-label", words().hints);
    fitting.forEach((one, i) => {
      const option = make("li", "", one);
      option.id = `cq-hint-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
      option.addEventListener("click", () => { unhint(); if (submit(one)) write(""); });
      made.append(option);
    });
    here("#cq-composer").prepend(made);
    field.role = "combobox";
    for (const [name, value] of [["autocomplete", "list"], ["haspopup", "listbox"], ["controls", made.id], ["expanded", "true"]]) field.setAttribute(`aria-${name}`, value);
    say(words().hintsCount.replace("{}", fitting.length));
  }

  function choose(step) {
    const options = [...list().children];
    options[chosen]?.setAttribute("aria-selected", "false");
    const places = options.length + 1; // one of them is none: back in the box
    chosen = (chosen + 1 + step + places) % places - 1;
    const option = options[chosen];
    option?.setAttribute("aria-selected", "true");
    if (option) box().setAttribute("aria-activedescendant", option.id); else box().removeAttribute("aria-activedescendant");
  }

  document.addEventListener("focusout", (event) => { if (event.target === box()) unhint(); });
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".cq-hints input")) return;
    try { localStorage.setItem("clusterqa-hints", event.target.checked ? "on" : "off"); } catch { /* for this page only */ }
    if (!event.target.checked) unhint();
  });

  document.addEventListener("compositionstart", () => { composing = true; });
  document.addEventListener("compositionend", () => { composing = false; takeOver(); });

  let back = 0; // how many questions back the arrow key has gone
  let brought = ""; // and what it brought
  function former(step) {
    const before = [...document.querySelectorAll("#cq-conversation .cq-question p")].map((p) => p.textContent);
    if (box().value !== brought) back = 0;
    if (back + step < 0 || back + step > before.length) return;
    back += step;
    brought = back ? before.at(-back) : "";
    write(brought);
  }

  // Caught before Gradio sees it: a question is never lost because another one is on its way.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && here("#cq-panel") && !list() && !event.isComposing) { event.preventDefault(); shut(); return; }
    if (event.target !== box() || event.isComposing || event.defaultPrevented) return;
    if (list()) {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) { event.preventDefault(); event.stopPropagation(); choose(by); return; }
      if (event.key === "Escape") { event.preventDefault(); unhint(); return; }
      if (event.key === "Enter" && chosen >= 0) {
        event.preventDefault();
        event.stopPropagation();
        list().children[chosen].click();
        return;
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      event.stopPropagation();
      submitBox();
    }
    const plain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step && plain && (!box().value || box().value === brought)) { event.preventDefault(); former(step); }
  }, true);

  async function leaveAddress(form) {
    let part = null;
    try {
      const body = new URLSearchParams([...new FormData(form), ["part", "1"]]);
      const answer = await fetch(form.action, { method: "POST", body });
      if (answer.headers.get("content-type")?.startsWith("text/html")) part = await answer.text();
    } catch { /* told below */ }
    if (part === null) { say(words().failed); return; }
    const made = document.createRange().createContextualFragment(part).firstElementChild;
    form.replaceWith(made);
    (made.querySelector("input[type=email]") ?? here("#question textarea"))?.focus({ preventScroll: true });
    say((made.querySelector("[role=alert]") ?? made).textContent);
  }

  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    if (target.matches(".cq-reply-to")) { event.preventDefault(); leaveAddress(target); return; }
    if (!target.matches("#cq-row, #cq-examples, .cq-offered, .cq-tools form[action=ask]")) return;
    event.preventDefault();
    if (target.matches("#cq-row")) submitBox();
    else if (target.matches("#cq-examples, .cq-offered")) { submit(submitter.value); greet(); }
    else renew();
  });

  // ── what stands under an answer ──

  const told = (element) => element.closest(".cq-quotation")?.dataset.citation ?? null;

  async function copy(button, text) {
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

  function copyQuote(button) {
    const quotation = button.closest(".cq-quotation");
    copy(button, `${quotation.dataset.quote}\n\n— ${quotation.dataset.citation}`);
  }

  async function feedback(button) {
    const group = button.closest(".cq-feedback");
    const helpful = button.dataset.helpful === "true";
    const body = { id: group.dataset.id, helpful, reason: button.dataset.reason || null };
    let kept = false;
    try {
      const answer = await fetch("../api/v1/feedback", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      kept = answer.ok;
    } catch { /* told below */ }
    if (kept && !helpful && !button.dataset.reason) {
      const why = group.querySelector(".cq-why");
      why.hidden = false;
      group.querySelectorAll(":scope > button, :scope > .cq-ask").forEach((part) => part.remove());
      why.querySelector("button").focus({ preventScroll: true });
      return;
    }
    const text = kept ? group.dataset.thanks : group.dataset.failed;
    if (kept) group.textContent = text;
    say(text);
    if (kept) focus();
  }

  // ── a document beside the chat, where there is room; elsewhere the link leads to its page ──

  let opener = null;
  function show(address) {
    here("#cq-panel")?.remove();
    const w = words();
    const page = Object.assign(make("a", "", w.page), { href: address });
    const close = Object.assign(make("button", "", w.close), { type: "button" });
    const frame = Object.assign(make("iframe", ""), { src: address, title: w.panel });
    const panel = make("aside", "", make("div", "cq-panel-bar", page, close), frame);
    panel.id = "cq-panel";
    panel.setAttribute("aria-label", w.panel);
    close.addEventListener("click", shut);
    document.body.append(panel);
    document.documentElement.classList.add("cq-beside");
  }
  function shut() {
    if (history.state?.panel) history.back(); else unpanel();
  }
  function unpanel() {
    if (!here("#cq-panel")) return;
    here("#cq-panel").remove();
    document.documentElement.classList.remove("cq-beside");
    if (opener?.isConnected) opener.focus({ preventScroll: true }); else focus();
  }
  addEventListener("popstate", () => {
    if (history.state?.panel) show(history.state.panel); else unpanel();
  });
  addEventListener("message", (event) => {
    if (event.source === here("#cq-panel iframe")?.contentWindow && event.data?.clusterqa === "close") shut();
  });
  const roomy = matchMedia("(min-width: 70rem)");

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const language = target?.closest(".cq-languages a");
    if (language) {
      document.cookie = `clusterqa_language=${language.dataset.language}; path=/; max-age=31536000; samesite=lax`;
      return;
    }
    if (target?.closest(".cq-skip")) { event.preventDefault(); focus(); return; }
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const source = target?.closest(".cq-links a[href^='../documents/']");
    if (source && plain && roomy.matches) {
      event.preventDefault();
      opener = source;
      const state = { panel: source.href };
      if (history.state?.panel) history.replaceState(state, ""); else history.pushState(state, "");
      show(source.href);
      return;
    }
    const link = target?.closest(".cq-link");
    if (link && plain) { event.preventDefault(); copy(link, link.href); return; }
    const button = target?.closest("button");
    if (button?.id === "cq-send" && !here("#cq-first")) submitBox();
    else if (button?.matches(".cq-copy")) copyQuote(button);
    else if (button?.matches(".cq-again")) goOn();
    else if (button?.matches(".cq-print")) print();
    else if (button?.closest(".cq-feedback")) feedback(button);
  }, true);

  document.addEventListener("copy", (event) => {
    const selection = document.getSelection();
    const node = selection?.anchorNode;
    const element = node instanceof Element ? node : node?.parentElement;
    const citation = element ? told(element) : null;
    if (!citation || !event.clipboardData || selection.isCollapsed) return;
    event.clipboardData.setData("text/plain", `${selection.toString().trim()}\n\n— ${citation}`);
    event.preventDefault();
  });

  // ── leaving, coming back, printing ──

  addEventListener("pagehide", () => {
    const turn = answered().findLast((one) => one.getBoundingClientRect().top <= innerHeight / 2);
    keep("place", turn ? { turn: answered().indexOf(turn), top: turn.getBoundingClientRect().top } : null);
  });
  function place() {
    const kept = recall("place");
    keep("place", null);
    const turns = answered();
    if (kept && turns[kept.turn]) scrollBy({ top: turns[kept.turn].getBoundingClientRect().top - kept.top, behavior: "instant" });
    else turns.at(-1)?.scrollIntoView({ block: "start", behavior: "instant" });
  }
  history.scrollRestoration = "manual";

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("#cq-conversation details:not([open])")];
    folded.forEach((part) => { part.open = true; });
    for (const link of document.querySelectorAll(".cq-open")) link.dataset.address = link.href;
  });
  addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));

  document.addEventListener("clusterqa:opened", greet); // by the widget, which has given us the focus

  window.clusterqa = { carried: () => carrying.shift() ?? ["", conversation(), "", ""] };
  for (const check of document.querySelectorAll(".cq-hints input")) check.checked = hinting();
  observe();
  begin();
})();
