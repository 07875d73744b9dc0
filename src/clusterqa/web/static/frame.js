// Where our pages stand in another site's frame: they tell the widget that they are there, and when Escape is pressed.
if (window.parent !== window) {
  const tell = (what) => window.parent.postMessage({ clusterqa: what }, "*"); // no secret: any parent may know this
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) tell("close");
  });
  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.data?.clusterqa === "opened") {
      document.dispatchEvent(new CustomEvent("clusterqa:opened"));
    }
  });
  tell("ready");
}
