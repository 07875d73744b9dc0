"use strict";
// Narrows a list of questions; without scripts the whole list is shown and the form is not.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
for (const list of document.querySelectorAll("[data-list]")) {
  const form = list.querySelector("form");
  const told = form.querySelector("output");
  const cases = [...list.querySelectorAll("article")].map((element) => ({ element, text: plain(element.textContent) }));
  const narrow = () => {
    const words = plain(form.elements.words.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, text } of cases) {
      const fits = [...form.querySelectorAll("select")].every((s) => !s.value || element.dataset[s.name] === s.value);
      element.hidden = !(fits && words.every((word) => text.includes(word)));
      shown += element.hidden ? 0 : 1;
    }
    told.textContent = `${shown} of ${cases.length} shown`;
  };
  form.addEventListener("input", narrow);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  narrow();
}
// A link to one question must show it, whatever the list is narrowed to.
const reveal = () => {
  const element = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (element && element.matches("article")) {
    element.hidden = false;
    element.scrollIntoView();
  }
};
addEventListener("hashchange", reveal);
reveal();
