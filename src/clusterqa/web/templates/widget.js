// The chat as a button on somebody else's page: <script src="https://HOST/widget.js" data-lang="lt"></script>
// Everything lives in a shadow root with a constructed stylesheet, so the page's own styles and a strict
// Content-Security-Policy do not reach it; the page's policy needs HOST in script-src and in frame-src.
(() => {
  const script = document.currentScript;
  if (!script || !script.src) {
    console.error("clusterqa: the widget must be a plain <script src>, not a module");
    return;
  }
  const WORDS = {{ words|tojson }};
  const host = new URL(".", script.src);
  const wanted = (script.dataset.lang || document.documentElement.lang || "").toLowerCase().split("-")[0];
  const language = Object.hasOwn(WORDS, wanted) ? wanted : "lt";
  const words = WORDS[language];
  const address = new URL(`${language}/`, host).href;
  const PATIENCE = 4000; // ms after the frame has loaded: a chat that may not be shown here never says that it is ready

  const STYLE = `
    :host { all: initial; color-scheme: light dark; --paper: #f6f7f5; --ink: #17211f; --line: #7a8a86; --accent: #12564d; --on-accent: #ffffff; }
    @media (prefers-color-scheme: dark) {
      :host { --paper: #111716; --ink: #e9efed; --line: #7f908c; --accent: #7fd0c0; --on-accent: #0c2a25; }
    }
    * { box-sizing: border-box; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
    [hidden] { display: none !important; }
    button { font-size: 16px; line-height: 1.4; font-weight: 600; cursor: pointer; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    .open { position: fixed; right: max(16px, env(safe-area-inset-right)); bottom: max(16px, env(safe-area-inset-bottom));
      z-index: 2147483000; max-width: calc(100vw - 32px); min-height: 48px; padding: 12px 22px; border: 2px solid var(--on-accent);
      border-radius: 999px; background: var(--accent); color: var(--on-accent); box-shadow: 0 2px 12px rgb(0 0 0 / 30%); }
    dialog { position: fixed; inset: auto max(16px, env(safe-area-inset-right)) max(16px, env(safe-area-inset-bottom)) auto;
      z-index: 2147483001; width: min(440px, calc(100vw - 32px)); height: min(720px, calc(100vh - 32px)); height: min(720px, calc(100dvh - 32px));
      max-width: none; max-height: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 14px; overflow: hidden;
      background: var(--paper); color: var(--ink); box-shadow: 0 8px 40px rgb(0 0 0 / 35%); }
    dialog[open] { display: flex; flex-direction: column; }
    .bar { flex: none; display: flex; justify-content: flex-end; padding: 6px; border-bottom: 1px solid var(--line); }
    .close { min-height: 36px; padding: 4px 14px; border: 1px solid var(--line); border-radius: 999px; background: transparent; color: var(--ink); font-size: 15px; }
    iframe { flex: 1; width: 100%; min-height: 0; border: 0; background: var(--paper); }
    .refused { margin: 0; padding: 20px; font-size: 17px; line-height: 1.55; }
    .refused a { color: var(--accent); }
    @media (max-width: 40rem), (max-height: 30rem) {
      dialog { inset: 0; width: 100vw; height: 100vh; height: 100dvh; border: 0; border-radius: 0; }
    }
    @media print { :host { display: none; } }
  `;

  function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  function build() {
    const root = make("div", { lang: language });
    const shadow = root.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];

    const open = make("button", { type: "button", className: "open", textContent: words.widget_open });
    const close = make("button", { type: "button", className: "close", textContent: words.widget_close });
    const link = make("a", { href: address, target: "_blank", rel: "noopener", textContent: words.widget_elsewhere });
    const refused = make("p", { className: "refused", hidden: true }, `${words.widget_refused} `, link);
    const dialog = make("dialog", {}, make("div", { className: "bar" }, close), refused);
    open.setAttribute("aria-haspopup", "dialog");
    open.setAttribute("aria-expanded", "false");
    dialog.setAttribute("aria-label", words.name);

    let frame = null;
    let ready = false;

    function load() {
      frame = make("iframe", { src: address, title: words.name, allow: "clipboard-write" });
      frame.addEventListener("load", () => {
        if (ready) return;
        setTimeout(() => {
          if (ready) return;
          frame.hidden = true;
          refused.hidden = false;
          if (dialog.open) link.focus();
        }, PATIENCE);
      }, { once: true });
      dialog.append(frame);
    }

    function enter() {
      if (!dialog.open || !ready) return;
      frame.focus();
      frame.contentWindow.postMessage({ clusterqa: "opened" }, host.origin);
    }

    open.addEventListener("click", () => {
      if (!frame) load();
      // Over the whole window it is modal: nothing behind it can be reached. Beside the page it is not.
      if (matchMedia("(max-width: 40rem), (max-height: 30rem)").matches) dialog.showModal();
      else dialog.show();
      open.setAttribute("aria-expanded", "true");
      open.hidden = true;
      close.focus();
      enter();
    });
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.preventDefault(); dialog.close(); }
    });
    dialog.addEventListener("close", () => {
      open.hidden = false;
      open.setAttribute("aria-expanded", "false");
      open.focus();
    });
    window.addEventListener("message", (event) => {
      if (!frame || event.source !== frame.contentWindow || event.origin !== host.origin) return;
      if (event.data?.clusterqa === "ready" && !ready) {
        ready = true;
        const waited = shadow.activeElement === close || shadow.activeElement === link; // nobody has gone elsewhere meanwhile
        frame.hidden = false;
        refused.hidden = true;
        if (waited) enter();
      }
      if (event.data?.clusterqa === "close" && dialog.open) dialog.close();
    });

    shadow.append(open, dialog);
    document.body.append(root);
  }

  if (document.body) build();
  else document.addEventListener("DOMContentLoaded", build, { once: true });
})();
