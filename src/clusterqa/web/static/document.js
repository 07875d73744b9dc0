// Brings the quoted place into the middle of the window, also where the address came without #quote.
const quote = document.getElementById("quote");
if (quote) {
  quote.scrollIntoView({ block: "center" });
  quote.focus({ preventScroll: true });
}
