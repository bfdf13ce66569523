// Shared by every view: named controls that keep their arrow keys inside JupyterLab, and colours that follow the theme.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// JupyterLab takes the arrow keys of focused elements for itself unless they carry this attribute.
function keepKeys(node) {
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  return node;
}

// Every explorer on a page loads its own copy of this file; a random start keeps the ids of two explorers apart.
let controlCount = Math.floor(Math.random() * 1e9);

// A labelled range input. onInput(value) runs on every move; .set(value) moves it from outside without an event.
function slider({ label, min, max, step = 1, value, format = String, onInput }) {
  const id = `ac-slider-${controlCount++}`;
  const input = keepKeys(element("input", { id, type: "range", min, max, step, value, className: "ac-range" }));
  const readout = element("output", { className: "ac-readout" });
  readout.setAttribute("for", id);
  const show = () => {
    const text = format(Number(input.value));
    readout.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => { show(); onInput(Number(input.value)); });
  show();
  const node = element("div", { className: "ac-control" }, element("label", { htmlFor: id }, label), input, readout);
  return { node, input, set(next) { input.value = next; show(); } };
}

// A labelled drop-down. options: [[value, text], ...]
function choice({ label, options, value, onChange }) {
  const id = `ac-choice-${controlCount++}`;
  const select = keepKeys(element("select", { id, className: "ac-select" },
    ...options.map(([v, text]) => element("option", { value: v, selected: String(v) === String(value) }, text))));
  select.addEventListener("change", () => onChange(select.value));
  return { node: element("div", { className: "ac-control" }, element("label", { htmlFor: id }, label), select),
           select, set(next) { select.value = next; } };
}

// A labelled on/off switch.
function toggle({ label, value, onChange }) {
  const input = keepKeys(element("input", { type: "checkbox", checked: value, className: "ac-check" }));
  input.addEventListener("change", () => onChange(input.checked));
  return { node: element("label", { className: "ac-control ac-toggle" }, input, label), input,
           set(next) { input.checked = next; } };
}

// A labelled text field. onSubmit(text) runs on Enter and on leaving the field after a change.
function textField({ label, value, onSubmit }) {
  const id = `ac-text-${controlCount++}`;
  const input = keepKeys(element("input", { id, type: "text", value, className: "ac-text", spellcheck: false, autocomplete: "off" }));
  // JupyterLab cancels Enter's usual effect, a change event, so the key is heard itself.
  let submitted = value;
  const submit = () => { if (input.value !== submitted) onSubmit(submitted = input.value); };
  input.addEventListener("change", submit);
  input.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) submit(); });
  return { node: element("div", { className: "ac-control ac-wide" }, element("label", { htmlFor: id }, label), input),
           input, set(next) { input.value = submitted = next; } };
}

// A sentence for what went wrong, or for what changed; screen readers hear it. .say("") empties it.
function statusLine(className = "") {
  const node = element("div", { className: `ac-status ${className}`, role: "status" });
  node.setAttribute("aria-live", "polite");
  return { node, say(text) { if (node.textContent !== text) node.textContent = text; } };
}

// The colours in force, as strings; ask again after onTheme fires.
function colours(node) {
  const css = getComputedStyle(node);
  const get = (name) => css.getPropertyValue(name).trim();
  return { query: get("--ac-query"), key: get("--ac-key"), value: get("--ac-value"), ink: get("--ac-ink"),
           faint: get("--ac-faint"), line: get("--ac-line"), paper: get("--ac-paper"), masked: get("--ac-masked") };
}

// Runs `redraw` when JupyterLab (or the system) changes between light and dark. Returns a function that stops it.
function onTheme(redraw) {
  const observer = new MutationObserver(redraw);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", redraw);
  return () => { observer.disconnect(); media.removeEventListener("change", redraw); };
}

// Joins a view to its model. listeners: [["change:a change:b", function], ...]. Returns a function that lets go of all.
function connect(model, listeners) {
  for (const [events, listener] of listeners) model.on(events, listener);
  return () => { for (const [events, listener] of listeners) model.off(events, listener); };
}

// Runs `redraw` when the theme or the width of `node` has changed. Returns a function that stops it.
function onThemeOrWidth(node, redraw) {
  const stopTheme = onTheme(() => requestAnimationFrame(redraw));
  let lastWidth = 0;
  const resized = new ResizeObserver(() => { if (node.clientWidth !== lastWidth) { lastWidth = node.clientWidth; redraw(); } });
  resized.observe(node);
  return () => { stopTheme(); resized.disconnect(); };
}

// A token inside a sentence: one that is written from right to left must not turn the words around it.
function isolated(token) { return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(token) ? `\u2068${token}\u2069` : token; }

// A canvas that is sharp on any screen: width and height in CSS pixels; draw in CSS pixels too.
function sharpCanvas(canvas, width, height) {
  const scale = Math.max(1, window.devicePixelRatio || 1);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

// Buffers arrive as DataView; these copy them into aligned arrays.
function asFloat32(view) { return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)); }
function asUint8(view) { return new Uint8Array(view.buffer, view.byteOffset, view.byteLength); }
