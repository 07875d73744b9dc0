// Brings the quoted place into the middle of the window, also where the address came without #quote.
const quote = document.getElementById("quote");
if (quote) {
  quote.scrollIntoView({ block: "center" });
  quote.focus({ preventScroll: true });
}
// Beside a chat the page has no bar of its own, and what is not ours opens in a window of its own.
let beside = false;
try { beside = window.frameElement?.parentElement?.id === "cq-panel"; } catch { /* another site's frame */ }
if (beside) {
  document.documentElement.classList.add("cq-in-panel");
  for (const link of document.links) {
    if (link.origin !== location.origin) link.target = "_blank";
    else if (!link.pathname.includes("/documents/")) link.target = "_top";
  }
}
