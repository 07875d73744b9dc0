// Documents at the staff desk: files are dropped, each travels on its own with its progress; what happens in the
// background is followed. Without this script the same forms work, a page at a time.
(() => {
  const form = document.getElementById("upload");
  const list = document.getElementById("uploads");
  let uploading = false; // a page that is loaded again would break uploads off

  function line(name) {
    const item = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = name;
    item.append(text);
    list.hidden = false;
    list.append(item);
    return item;
  }

  function say(item, text, bad) {
    const told = document.createElement("span");
    told.textContent = ` – ${text}`;
    item.querySelector("progress")?.remove();
    item.append(told);
    item.classList.toggle("sd-bad", Boolean(bad));
  }

  // One file, one request: a file that fails takes no other along. Resolves to the address of its draft, or null.
  function send(file) {
    const words = form.dataset;
    const item = line(file.name);
    if (file.size > words.limit * 1024 * 1024) {
      say(item, words.tooLarge, true);
      return Promise.resolve(null);
    }
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", `${words.uploading} ${file.name}`);
    bar.max = 1;
    item.append(bar);
    return new Promise((resolve) => {
      const body = new FormData();
      const replaces = form.elements.replaces;
      if (replaces) body.append("replaces", replaces.value);
      body.append("files", file);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("X-CSRF-Token", document.body.dataset.csrf);
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
      request.addEventListener("loadend", () => {
        const told = request.status === 200 && request.response ? request.response[0] : null;
        if (!told) { say(item, (request.response && request.response.detail) || words.failed, true); resolve(null); return; }
        if (told.error) { say(item, told.error, true); resolve(null); return; }
        say(item, told.known ? words.known : words.done);
        const link = document.createElement("a");
        link.href = told.address;
        link.textContent = words.look;
        item.append(" ", link);
        resolve(told.address);
      });
      request.send(body);
    });
  }

  async function sendAll(files) {
    form.querySelector("button").disabled = uploading = true;
    const addresses = [];
    for (const file of files) addresses.push(await send(file));
    form.querySelector("button").disabled = uploading = false;
    form.reset();
    if (addresses.length && addresses.every(Boolean)) {
      if (addresses.length === 1) location.assign(addresses[0]);
      else setTimeout(() => location.reload(), 1500);
    }
  }

  if (form && list) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sendAll([...form.elements.files.files]);
    });
    for (const kind of ["dragenter", "dragover"]) {
      form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("sd-over"); });
    }
    for (const kind of ["dragleave", "drop"]) form.addEventListener(kind, () => form.classList.remove("sd-over"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = [...event.dataTransfer.files];
      sendAll(form.elements.files.multiple ? files : files.slice(0, 1));
    });
    // A file dropped beside the box must not replace the page.
    for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  }

  // "All on this page" ticks them, so that what is meant is seen; one that is unticked unticks it.
  for (const all of document.querySelectorAll("[data-all]")) {
    const picks = [...all.form.querySelectorAll('input[name="pick"]')];
    all.addEventListener("change", () => { for (const pick of picks) pick.checked = all.checked; });
    for (const pick of picks) pick.addEventListener("change", () => { all.checked = picks.every((one) => one.checked); });
  }

  // What goes on in the background; when it is over the page is loaded again.
  for (const section of document.querySelectorAll("[data-follow]")) {
    const bar = section.querySelector("progress");
    const text = section.querySelector("[data-follow-text]");
    const look = async () => {
      try {
        const answer = await fetch(section.dataset.follow, { headers: { Accept: "application/json" } });
        if (answer.status === 401 || answer.status === 403) { location.reload(); return; }
        const told = await answer.json();
        if (told.over && !uploading) { location.reload(); return; }
        if (bar && told.total && told.stage !== "queue") { bar.max = told.total; bar.value = told.done; }
        if (text && text.textContent !== told.text) text.textContent = told.text;
      } catch { /* the server may be starting again: it goes on where it was */ }
      setTimeout(look, 700);
    };
    setTimeout(look, 300);
  }
})();
