// Remove heads and watch the effect: a grid of switches, and how far every token's final vector turns.
// The kernel runs the model again for each change and sends back cosines and all weights; everything else happens here.

const WEIGHT_STOPS = {        // as in the head view: the order survives greyscale
  light: [[255, 255, 255], [196, 178, 226], [116, 78, 172], [52, 20, 104]],
  dark: [[30, 30, 30], [78, 58, 128], [150, 122, 214], [238, 230, 255]],
};
const QUARTER_TURN = 90;      // degrees; a bar that is full

// 256 colours for the weights 0 to 255; the square root lifts small weights out of the background.
function weightColours(isDark) {
  const stops = isDark ? WEIGHT_STOPS.dark : WEIGHT_STOPS.light;
  const table = new Uint8ClampedArray(256 * 3);
  for (let byte = 0; byte < 256; byte++) {
    const along = Math.sqrt(byte / 255) * (stops.length - 1);
    const left = Math.min(stops.length - 2, Math.floor(along));
    for (let c = 0; c < 3; c++) table[3 * byte + c] = stops[left][c] + (along - left) * (stops[left + 1][c] - stops[left][c]);
  }
  return table;
}

function degrees(cosine) { return Math.acos(Math.max(-1, Math.min(1, cosine))) * 180 / Math.PI; }
function fixed(number, places = 3) { return number.toFixed(places).replace("-", "−"); }
function put(node, text) { if (node.textContent !== text) node.textContent = text; }
function heads(count) { return `${count} head${count === 1 ? "" : "s"}`; }

function render({ model, el }) {
  const id = `ab-${Math.random().toString(36).slice(2)}`;
  let nLayers = 0, nHeads = 0, n = 0, removed = new Set(), cells = [], layerButtons = [], bars = [], size = 30;
  let cursor = 0, pointed = -1, isFocused = false;

  const change = (name, value) => { model.set(name, value); model.save_changes(); };
  const make = (className, ...children) => element("div", { className }, ...children);
  const button = (label, onclick, className = "") => keepKeys(element("button", { type: "button", className: `ac-button ${className}`, onclick }, label));

  // ---- controls
  const text = textField({ label: "Text", value: model.get("text"), onSubmit: (value) => change("text", value) });
  const problem = statusLine("ac-problem");
  const words = statusLine("ab-words");
  const putBack = button("Put all back", () => change("removed", []));
  const random = button("Remove 3 at random", () => model.send({ do: "random", n: Number(randomCount.input.value) }));
  const randomCount = slider({ label: "Random heads", min: 1, max: 72, value: 3, onInput: (count) => put(random, `Remove ${count} at random`) });

  // ---- the grid of heads
  const canvas = element("canvas", { className: "ab-thumbs" });
  canvas.setAttribute("aria-hidden", "true");
  const grid = keepKeys(element("div", { className: "ab-grid", tabIndex: 0, role: "grid" }));
  grid.setAttribute("aria-label", "All heads: one row a layer, one column a head. Arrow keys move, Space switches a head off or on.");
  grid.setAttribute("aria-multiselectable", "true");
  const columnNames = make("ab-columns"), rowNames = make("ab-rows"), wholeLayers = make("ab-layers");
  columnNames.setAttribute("aria-hidden", "true");
  rowNames.setAttribute("aria-hidden", "true");
  const readout = make("ab-readout");
  const legend = make("ab-legend",
    element("span", { className: "ab-item" }, element("i", { className: "ab-sample ab-off" }), "removed"),
    element("span", { className: "ab-item" }, element("i", { className: "ab-sample ab-moved" }), "looks elsewhere now"));

  // ---- the effect
  const sentenceBar = bar("sentence");
  sentenceBar.node.classList.add("ab-whole");
  const barList = make("ab-bars");
  const effectTable = make("ab-effect-table",
    roleOf("rowgroup", make("", roleOf("row", make("ab-bar ab-bar-head", roleOf("columnheader", element("span", {}, "final vector of")),
      roleOf("columnheader", element("span", {}, "turned by")), roleOf("columnheader", element("span", { className: "ab-cosine" }, "cosine")))))),
    roleOf("rowgroup", make("", sentenceBar.node)), roleOf("rowgroup", barList));
  roleOf("table", effectTable).setAttribute("aria-label", "How far each final vector turned, compared with all heads at work");

  // ---- the comparison
  const compare = button("Compare", () => model.send({ do: "compare" }));
  const compareWords = statusLine("ab-compare-words");
  const axis = make("ab-axis");
  axis.setAttribute("role", "img");
  const comparison = make("ab-comparison",
    make("ab-compare-head", element("div", { className: "ab-heading" }, "Is that much?"), compare), axis, compareWords.node);

  const picture = make("ab-picture", words.node,
    make("ab-body",
      make("ab-left",
        make("ab-heading", "Heads"),
        make("ab-frame", element("div", { className: "ab-corner" }, "layer"), columnNames, element("div", { className: "ab-whole-layer" }, "whole layer"),
          rowNames, make("ab-cells", canvas, grid), wholeLayers),
        readout, legend,
        make("ac-controls ab-buttons", randomCount.node, random, putBack)),
      make("ab-right", make("ab-heading", "Effect on the last layer’s vectors"), effectTable,
        element("p", { className: "ab-note" }, "The sentence vector is the mean of all final vectors. A full bar is a quarter turn, 90°."))),
    comparison);
  const root = make("ac ac-ablation",
    make("ac-title", "Remove heads and watch the effect"),
    element("p", { className: "ac-hint" }, "Each square is one head’s attention on this text (rows look, columns are looked at). Switch a head off: its output becomes zero, and the model runs again without it."),
    make("ac-controls", text.node), problem.node, picture);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Remove heads and watch the effect");
  el.append(root);

  function roleOf(name, node) { node.setAttribute("role", name); return node; }

  function bar(name) {
    const label = roleOf("rowheader", element("span", { className: "ab-bar-name" }, name));
    const fill = element("i", { className: "ab-fill" }), turn = element("span", { className: "ab-turn" });
    const cosine = roleOf("cell", element("span", { className: "ab-cosine" }));
    const cell = roleOf("cell", element("span", { className: "ab-turned" }, element("span", { className: "ab-track" }, fill), turn));
    const node = roleOf("row", make("ab-bar", label, cell, cosine));
    return { node, label, set(value) {
      const angle = degrees(value);
      fill.style.transform = `scaleX(${Math.min(1, angle / QUARTER_TURN)})`;
      put(turn, `${Math.round(angle)}°`);
      put(cosine, fixed(value));
    } };
  }

  // ---- switching
  const order = (indices) => [...indices].sort((a, b) => a - b).map((i) => [Math.floor(i / nHeads), i % nHeads]);
  function flip(index) {
    const next = new Set(removed);
    if (!next.delete(index)) next.add(index);
    cursor = index;
    change("removed", order(next));
  }
  function flipLayer(layer) {
    const next = new Set(removed), row = Array.from({ length: nHeads }, (_, head) => layer * nHeads + head);
    const isGone = row.every((i) => next.has(i));
    for (const i of row) { if (isGone) next.delete(i); else next.add(i); }
    change("removed", order(next));
  }

  function build() {
    cells = [];
    grid.replaceChildren(...Array.from({ length: nLayers }, (_, layer) => {
      const row = roleOf("row", make("ab-row"));
      for (let head = 0; head < nHeads; head++) {
        const index = layer * nHeads + head;
        const cell = roleOf("gridcell", element("div", { className: "ab-cell", id: `${id}-${index}` }));
        cell.addEventListener("click", () => flip(index));
        cell.addEventListener("pointerenter", () => { pointed = index; read(); });
        cells.push(cell);
        row.append(cell);
      }
      return row;
    }));
    columnNames.replaceChildren(...Array.from({ length: nHeads }, (_, head) => element("span", {}, String(head))));
    rowNames.replaceChildren(...Array.from({ length: nLayers }, (_, layer) => element("span", {}, String(layer))));
    layerButtons = Array.from({ length: nLayers }, (_, layer) => button("remove", () => flipLayer(layer), "ab-layer"));
    wholeLayers.replaceChildren(...layerButtons);
    randomCount.input.max = nLayers * nHeads;
    cursor = Math.min(cursor, nLayers * nHeads - 1);
  }

  grid.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const layer = Math.floor(cursor / nHeads), head = cursor % nHeads;
    const inside = (value, count) => Math.max(0, Math.min(count - 1, value));
    const moves = { ArrowUp: [layer - 1, head], ArrowDown: [layer + 1, head], ArrowLeft: [layer, head - 1], ArrowRight: [layer, head + 1],
                    Home: [layer, 0], End: [layer, nHeads - 1], PageUp: [0, head], PageDown: [nLayers - 1, head] };
    if (moves[event.key]) {
      cursor = inside(moves[event.key][0], nLayers) * nHeads + inside(moves[event.key][1], nHeads);
      pointed = -1;
      showCursor();
    } else if (event.key === " " || event.key === "Enter") flip(cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  grid.addEventListener("focus", () => { isFocused = grid.matches(":focus-visible"); showCursor(); });
  grid.addEventListener("blur", () => { isFocused = false; showCursor(); });
  grid.addEventListener("pointerleave", () => { pointed = -1; read(); });

  // ---- drawing
  const moved = (index) => model.get("weight_moved")[index] || 0;
  const changedMuch = (index) => !removed.has(index) && moved(index) >= model.get("changed_much");

  function drawThumbnails() {
    const dark = document.body.dataset.jpThemeLight === "false", table = weightColours(dark), ink = colours(root);
    const width = grid.closest(".ab-left").clientWidth || 480;
    size = Math.max(16, Math.min(34, Math.floor((width - 108) / nHeads)));
    root.style.setProperty("--ab-size", `${size}px`);
    const bytes = asUint8(model.get("weights"));
    const context = sharpCanvas(canvas, size * nHeads, size * nLayers), scale = canvas.width / (size * nHeads);
    if (bytes.length !== nLayers * nHeads * n * n) return;
    const side = Math.max(1, Math.round((size - 4) * scale)), image = context.createImageData(side, side);
    const from = Array.from({ length: side }, (_, p) => Math.floor(p * n / side));
    for (let index = 0; index < nLayers * nHeads; index++) {
      const isOff = removed.has(index), x = (index % nHeads) * size + 2, y = Math.floor(index / nHeads) * size + 2, inner = size - 4;
      for (let row = 0, at = 0; row < side; row++) {
        const start = (index * n + from[row]) * n;
        for (let column = 0; column < side; column++, at += 4) {
          const byte = bytes[start + from[column]];
          image.data[at] = table[3 * byte];
          image.data[at + 1] = table[3 * byte + 1];
          image.data[at + 2] = table[3 * byte + 2];
          image.data[at + 3] = 255;
        }
      }
      context.putImageData(image, Math.round(x * scale), Math.round(y * scale));
      context.strokeStyle = ink.line;
      context.lineWidth = 1;
      if (isOff) {
        context.globalAlpha = 0.82;
        context.fillStyle = ink.paper;
        context.fillRect(x, y, inner, inner);
        context.globalAlpha = 1;
        context.strokeStyle = ink.ink;
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(x + 4, y + 4); context.lineTo(x + inner - 4, y + inner - 4);
        context.moveTo(x + inner - 4, y + 4); context.lineTo(x + 4, y + inner - 4);
        context.stroke();
      }
      context.strokeRect(x - 0.5, y - 0.5, inner + 1, inner + 1);
      if (changedMuch(index)) {
        const corner = Math.round(size * 0.36);
        context.beginPath();
        context.moveTo(x + inner - corner, y - 1); context.lineTo(x + inner + 1, y - 1); context.lineTo(x + inner + 1, y + corner);
        context.closePath();
        context.fillStyle = ink.key;
        context.strokeStyle = ink.paper;
        context.lineWidth = 1.5;
        context.stroke();
        context.fill();
      }
    }
  }

  function showCursor() {
    if (!cells.length) return;
    cells.forEach((cell, i) => cell.classList.toggle("ab-cursor", isFocused && i === cursor));
    grid.setAttribute("aria-activedescendant", `${id}-${cursor}`);
    read();
  }

  function read() {
    const index = pointed >= 0 ? pointed : isFocused ? cursor : -1;
    if (index < 0) { put(readout, "Point at a head to read it; click, or press Space, to switch it."); return; }
    const name = `Layer ${Math.floor(index / nHeads)}, head ${index % nHeads}`;
    const share = `${Math.round(moved(index) * 100)}\u00a0% of its weight went to other tokens`;
    put(readout, removed.has(index) ? `${name}: removed.` : `${name}: at work. ${moved(index) < 0.005 ? "It looks where it looked before" : share}.`);
  }

  function sentence() {
    const count = removed.size, total = nLayers * nHeads, tokens = model.get("tokens"), cosines = model.get("token_cosines");
    if (!count) return `All ${total} heads are at work. Switch one off and see which vectors turn.`;
    const least = cosines.indexOf(Math.min(...cosines)), whole = model.get("sentence_cosine");
    const twice = tokens.indexOf(tokens[least]) !== tokens.lastIndexOf(tokens[least]) ? `, position ${least}` : "";
    const others = cells.reduce((sum, _, i) => sum + changedMuch(i), 0);
    return `${count} of ${total} heads removed: the sentence vector keeps ${fixed(whole)} of its direction, a turn of ${Math.round(degrees(whole))}°. `
      + `Most moved: “${isolated(tokens[least])}” (${fixed(cosines[least])}${twice}). `
      + (others ? `${others}\u00a0other head${others === 1 ? " looks" : "s look"} elsewhere now with at least ${Math.round(model.get("changed_much") * 100)}\u00a0% of the weight.`
        : "No other head changed much where it looks.");
  }

  function drawSwitches() {
    removed = new Set(model.get("removed").map(([layer, head]) => layer * nHeads + head));
    cells.forEach((cell, i) => {
      const label = `layer ${Math.floor(i / nHeads)}, head ${i % nHeads}, ${removed.has(i) ? "removed" : changedMuch(i) ? "at work, looks elsewhere now" : "at work"}`;
      if (cell.getAttribute("aria-label") !== label) cell.setAttribute("aria-label", label);
      cell.setAttribute("aria-selected", String(removed.has(i)));
    });
    layerButtons.forEach((each, layer) => {
      const isGone = Array.from({ length: nHeads }, (_, head) => layer * nHeads + head).every((i) => removed.has(i));
      put(each, isGone ? "put back" : "remove");
      each.setAttribute("aria-label", `${isGone ? "put back" : "remove"} all heads of layer ${layer}`);
    });
    putBack.disabled = !removed.size;
    compare.disabled = !removed.size;
    put(compare, removed.size ? `Compare with 20 random choices of ${heads(removed.size)}` : "Compare with random choices");
    drawThumbnails();
  }

  function drawEffect() {
    const tokens = model.get("tokens"), cosines = model.get("token_cosines");
    sentenceBar.set(model.get("sentence_cosine"));
    if (bars.length !== tokens.length) {
      bars = tokens.map(() => bar(""));
      barList.replaceChildren(...bars.map((each) => each.node));
    }
    bars.forEach((each, i) => { put(each.label, tokens[i]); each.set(cosines[i] ?? 1); });
    words.say(sentence());
    read();
  }

  function drawComparison() {
    const drawn = model.get("compared"), ours = model.get("sentence_cosine"), count = removed.size;
    axis.hidden = !drawn.length;
    if (!drawn.length) {
      axis.replaceChildren();
      compareWords.say(count ? `Removing ${heads(count)} changes something, whichever they are. Only random choices of as many tell whether these matter more than others.`
        : "Remove something first; then compare with random choices of as many heads.");
      return;
    }
    const sorted = [...drawn].sort((a, b) => a - b), more = drawn.filter((value) => value > ours).length;
    const least = Math.max(-1, Math.floor((Math.min(ours, sorted[0]) - 0.005) * 20) / 20), at = (value) => `${100 * (value - least) / (1 - least)}%`;
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((each) => (1 - least) / each <= 6) || 0.5;
    const ticks = [];
    for (let tick = 1; tick >= least - 1e-9; tick -= step) ticks.push(tick);
    const dot = (className, value, top) => { const node = element("i", { className }); node.style.left = at(value); node.style.top = top; return node; };
    const label = element("span", { className: "ab-yours-label" }, "yours");
    label.style.left = at(ours);
    axis.replaceChildren(make("ab-axis-line"), ...ticks.map((tick) => {
      const node = element("span", { className: "ab-tick" }, fixed(tick, step < 0.1 ? 2 : 1));
      node.style.left = at(tick);
      return node;
    }), ...drawn.map((value, i) => dot("ab-dot", value, `${22 + (i * 7 % 5) * 6}px`)), dot("ab-yours", ours, "34px"), label);
    const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
    const said = `${drawn.length} random choices of ${heads(count)} kept ${fixed(sorted[0])} to ${fixed(sorted[sorted.length - 1])} of the sentence vector’s direction, `
      + `${fixed(median)} in the middle. Yours keeps ${fixed(ours)}; ${more === drawn.length ? `all ${more}` : more ? `${more} of ${drawn.length}` : "none"} of them kept more.`;
    axis.setAttribute("aria-label", said);
    compareWords.say(said);
  }

  // ---- joining it to the kernel
  function redraw() {
    if (!root.isConnected) return;
    [nLayers, nHeads, n] = model.get("shape");
    picture.hidden = !n;
    if (!n) return;
    if (cells.length !== nLayers * nHeads) build();
    drawSwitches();
    // After a second switch in quick succession, the answer to the first is passed over; the next is on its way.
    if (String(model.get("answered")) === String(model.get("removed"))) drawEffect();
    drawComparison();
    showCursor();
  }
  function switched() { if (n) drawSwitches(); }  // at once, before the kernel has answered
  const listeners = [
    ["change:text", () => text.set(model.get("text"))],
    ["change:removed", switched],
    ["change:n_answers", redraw],
    ["change:compared", () => { if (n) drawComparison(); }],
    ["change:problem", () => problem.say(model.get("problem"))],
  ];
  const disconnect = connect(model, listeners);
  problem.say(model.get("problem"));
  redraw();
  const stop = onThemeOrWidth(root, redraw);
  return () => { stop(); disconnect(); };
}

export default { render };
