// What every page of the staff desk does in the browser. The pages work without it.
(() => {
  const MENUS = "details.sd-menu[open], details.sd-more[open]";

  // On a phone not every section fits beside the others: the current one is brought into view.
  const sections = document.querySelector(".sd-sections");
  const current = sections?.querySelector("[aria-current]");
  if (current) sections.scrollLeft = current.offsetLeft - (sections.clientWidth - current.offsetWidth) / 2;

  // A menu closes at Escape, and when something else is clicked.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(MENUS)) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(MENUS)) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
  });

  // Passwords can be shown while they are typed; the box for it needs this script, so it is hidden without.
  for (const check of document.querySelectorAll("[data-reveal]")) {
    check.hidden = false;
    const fields = check.closest("form").querySelectorAll('input[type="password"]');
    check.querySelector("input").addEventListener("change", (event) => {
      for (const field of fields) field.type = event.target.checked ? "text" : "password";
    });
  }

  // A form that was sent is not sent again by a second click. It wakes up when the page is brought back.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    setTimeout(() => { delete event.target.dataset.sent; }, 15000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // A select that says so sends its form at once; with the keyboard the button beside it does.
  for (const select of document.querySelectorAll("select[data-send]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
})();
