// Every head of a model on one text: a picker of small heatmaps, and the chosen head as lines or as a matrix.
// The kernel sends all weights once, one byte a weight (layer, head, query, key), compressed; everything after that
// happens here.

const LINES_AT_MOST = 1500;   // weaker lines are left out beyond this; they would be too faint to tell apart
const BOX_HEIGHT = 520;       // a longer text scrolls inside a box of this height
const HEADER = 26;            // the line of column titles above the rows

const WEIGHT_STOPS = {        // light to dark on a light page, dark to light on a dark one: the order survives greyscale
  light: [[255, 255, 255], [196, 178, 226], [116, 78, 172], [52, 20, 104]],
  dark: [[30, 30, 30], [78, 58, 128], [150, 122, 214], [238, 230, 255]],
};

// 256 colours for the weights 0 to 255. The square root lifts small weights out of the background; the legend shows it.
function weightColours(isDark) {
  const stops = isDark ? WEIGHT_STOPS.dark : WEIGHT_STOPS.light;
  const table = new Uint8ClampedArray(256 * 3);
  for (let byte = 0; byte < 256; byte++) {
    const along = Math.sqrt(byte / 255) * (stops.length - 1);
    const left = Math.min(stops.length - 2, Math.floor(along));
    for (let c = 0; c < 3; c++) {
      table[3 * byte + c] = stops[left][c] + (along - left) * (stops[left + 1][c] - stops[left][c]);
    }
  }
  return table;
}

function percent(byte) {
  if (byte === 0) return "0%";
  return byte < 3 ? "<1%" : `${Math.round(byte / 2.55)}%`;
}

const weight = (byte) => (byte / 255).toFixed(2);

// Numbers of one head, row by row, on the tokens that are shown.
function strongest(row, shown, count) {
  return [...shown].sort((a, b) => row[b] - row[a] || a - b).slice(0, count);
}

let headViewCount = 0;

export default { render({ model, el }) {
  const id = `ac-heads-${headViewCount++}`;
  const state = { hover: -1, key: -1, shown: [], palette: null, table: null, ink: null, frame: 0, stale: true };

  // ---- what the kernel sent
  let tokens = [], kinds = [], bytes, nLayers = 0, nHeads = 0, n = 0, loads = 0;
  async function load() {
    const ticket = ++loads;
    const sent = { tokens: model.get("tokens"), kinds: model.get("kinds"), shape: model.get("shape") };
    const stream = new Blob([model.get("buffer")]).stream().pipeThrough(new DecompressionStream("deflate"));
    const unpacked = new Uint8Array(await new Response(stream).arrayBuffer());
    if (ticket !== loads) return;   // a newer text came meanwhile
    [tokens, kinds, bytes] = [sent.tokens, sent.kinds, unpacked];
    [nLayers, nHeads, n] = sent.shape;
    rebuild();
  }
  const headBytes = (layer, head) => bytes.subarray((layer * nHeads + head) * n * n, (layer * nHeads + head + 1) * n * n);
  const chosen = () => headBytes(model.get("layer"), model.get("head"));
  const rowOf = (query) => chosen().subarray(query * n, (query + 1) * n);
  const quoted = (i) => (kinds[i] === "special" ? tokens[i] : `"${tokens[i]}"`);
  const specials = () => [...new Set(tokens.filter((_, i) => kinds[i] === "special"))];
  const query = () => (state.hover >= 0 ? state.hover : model.get("query"));

  // ---- the frame of controls
  const root = element("div", { className: "ac ac-heads", role: "group" });
  root.setAttribute("aria-label", "Attention heads");
  const field = textField({ label: "Text", value: model.get("text"), onSubmit: (text) => send({ text }) });
  const texts = element("div", { className: "ac-controls ac-heads-texts" }, field.node);
  let second = null;
  if (model.get("pair") !== null) {
    second = textField({ label: "Second text", value: model.get("pair"), onSubmit: (pair) => send({ pair }) });
    texts.append(second.node);
  }
  const problem = statusLine("ac-problem");
  const layerSlider = slider({ label: "Layer", min: 0, max: 1, value: 0, onInput: (layer) => send({ layer }) });
  const headSlider = slider({ label: "Head", min: 0, max: 1, value: 0, onInput: (head) => send({ head }) });
  const hideSwitch = toggle({ label: "Hide special tokens", value: model.get("hide_special"),
    onChange: (hide_special) => send({ hide_special }) });
  const status = statusLine("ac-heads-status");
  const hiddenNote = element("p", { className: "ac-heads-note" });

  const gridCanvas = element("canvas", { className: "ac-heads-thumbs" });
  gridCanvas.setAttribute("aria-hidden", "true");
  const grid = keepKeys(element("div", { className: "ac-heads-grid", tabIndex: 0, role: "grid" }));
  grid.setAttribute("aria-label", "All heads: one row a layer, one column a head. Arrow keys choose.");
  const columnNames = element("div", { className: "ac-heads-columns" });
  const rowNames = element("div", { className: "ac-heads-rows" });
  columnNames.setAttribute("aria-hidden", "true");
  rowNames.setAttribute("aria-hidden", "true");
  const legend = element("div", { className: "ac-heads-legend" },
    element("span", {}, "weight 0"), element("canvas", {}), element("span", {}, "1"));
  legend.querySelector("canvas").setAttribute("aria-hidden", "true");

  const name = element("div", { className: "ac-heads-name" });
  const views = element("div", { className: "ac-heads-views", role: "radiogroup" });
  views.setAttribute("aria-label", "Show the head as");
  for (const view of ["lines", "matrix"]) {
    const radio = keepKeys(element("input", { type: "radio", name: `${id}-view`, value: view, checked: model.get("view") === view }));
    radio.addEventListener("change", () => send({ view }));
    views.append(element("label", {}, radio, element("span", {}, view)));
  }
  const canvas = element("canvas", { className: "ac-heads-canvas", role: "img" });
  canvas.setAttribute("aria-label", "The head chosen");
  const list = keepKeys(element("div", { className: "ac-heads-list", tabIndex: 0, role: "listbox" }));
  list.setAttribute("aria-label", "Query: the token that looks. Up and Down choose, Escape shows all.");
  const sticky = element("div", { className: "ac-heads-sticky" }, canvas, list);
  const spacer = element("div", { className: "ac-heads-spacer" });
  const box = element("div", { className: "ac-heads-box" }, sticky, spacer);

  root.append(
    element("div", { className: "ac-title" }, "Which token looks where?"),
    element("p", { className: "ac-hint" },
      "Each small square is one head of the model. Choose one; then point at a token on the left to see how it shares out its attention."),
    texts, problem.node,
    element("div", { className: "ac-heads-body" },
      element("div", { className: "ac-heads-picker" },
        element("div", { className: "ac-heads-all" },
          element("div", { className: "ac-heads-axis" }, "layer ↓  head →"),
          element("div", { className: "ac-heads-frame" }, columnNames, rowNames,
            element("div", { className: "ac-heads-cells" }, gridCanvas, grid))),
        element("div", { className: "ac-heads-sliders" }, layerSlider.node, headSlider.node, legend)),
      element("div", { className: "ac-heads-main" },
        element("div", { className: "ac-heads-bar" }, name, hideSwitch.node, views),
        box)),
    hiddenNote, status.node);
  el.append(root);

  function send(changes) {
    for (const [key, value] of Object.entries(changes)) model.set(key, value);
    model.save_changes();
  }

  // ---- the picker
  let cells = [];
  function buildGrid() {
    grid.replaceChildren();
    cells = [];
    for (let layer = 0; layer < nLayers; layer++) {
      const row = element("div", { role: "row", className: "ac-heads-row" });
      for (let head = 0; head < nHeads; head++) {
        const cell = element("div", { role: "gridcell", id: `${id}-cell-${layer}-${head}`, className: "ac-heads-cell" });
        cell.setAttribute("aria-label", `layer ${layer}, head ${head}`);
        cell.setAttribute("aria-selected", "false");
        cell.addEventListener("click", () => send({ layer, head }));
        cells.push(cell);
        row.append(cell);
      }
      grid.append(row);
    }
    columnNames.replaceChildren(...Array.from({ length: nHeads }, (_, head) => element("span", {}, String(head))));
    rowNames.replaceChildren(...Array.from({ length: nLayers }, (_, layer) => element("span", {}, String(layer))));
    for (const [control, count] of [[layerSlider, nLayers], [headSlider, nHeads]]) {
      control.input.max = count - 1;
      control.node.hidden = count === 1;
    }
  }
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      PageUp: [-nLayers, 0], PageDown: [nLayers, 0], Home: [0, -nHeads], End: [0, nHeads] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const inside = (value, count) => Math.max(0, Math.min(count - 1, value));
    send({ layer: inside(model.get("layer") + step[0], nLayers), head: inside(model.get("head") + step[1], nHeads) });
  });

  function drawThumbnails() {
    const room = Math.min(330, grid.closest(".ac-heads-picker").clientWidth) - 24;
    const size = Math.max(9, Math.min(30, Math.floor(room / nHeads), Math.max(13, Math.floor(480 / nLayers))));
    root.style.setProperty("--size", `${size}px`);
    const labelled = size >= 14 ? 1 : 2;   // narrow columns: every second number
    columnNames.childNodes.forEach((node, i) => { node.style.visibility = i % labelled ? "hidden" : ""; });
    const context = sharpCanvas(gridCanvas, size * nHeads, size * nLayers);
    const scale = gridCanvas.width / (size * nHeads);
    const side = Math.max(1, Math.round((size - 3) * scale));
    const image = context.createImageData(side, side);
    const shown = state.shown, m = shown.length, table = state.table;
    // A pixel that covers several tokens shows the largest weight among them: an average would wash out a thin diagonal.
    const first = Array.from({ length: side + 1 }, (_, p) => Math.floor(p * m / side));
    for (let layer = 0; layer < nLayers; layer++) {
      for (let head = 0; head < nHeads; head++) {
        const part = headBytes(layer, head);
        for (let y = 0; y < side; y++) {
          for (let x = 0; x < side; x++) {
            let most = 0;
            for (let q = first[y]; q < Math.max(first[y] + 1, first[y + 1]); q++) {
              for (let k = first[x]; k < Math.max(first[x] + 1, first[x + 1]); k++) {
                const value = part[shown[q] * n + shown[k]];
                if (value > most) most = value;
              }
            }
            const at = 4 * (y * side + x);
            image.data[at] = table[3 * most];
            image.data[at + 1] = table[3 * most + 1];
            image.data[at + 2] = table[3 * most + 2];
            image.data[at + 3] = 255;
          }
        }
        context.putImageData(image, Math.round((head * size + 1.5) * scale), Math.round((layer * size + 1.5) * scale));
      }
    }
    const bar = legend.querySelector("canvas");
    const ramp = sharpCanvas(bar, 96, 10);
    for (let x = 0; x < 96; x++) {
      const byte = Math.round(x / 95 * 255);
      ramp.fillStyle = `rgb(${table[3 * byte]}, ${table[3 * byte + 1]}, ${table[3 * byte + 2]})`;
      ramp.fillRect(x, 0, 1, 10);
    }
  }

  // ---- the chosen head
  const isMatrix = () => model.get("view") === "matrix";
  let layout = null;   // where things stand on the canvas, for drawing and for the pointer

  function measure() {
    const width = box.clientWidth, count = state.shown.length;
    const context = canvas.getContext("2d");
    const family = getComputedStyle(root).fontFamily;
    const row = isMatrix() ? Math.max(12, Math.min(44, Math.floor((width - 130) / Math.max(1, count))))
      : Math.max(17, Math.min(30, Math.floor((BOX_HEIGHT - HEADER - 6) / Math.max(1, count))));
    const size = Math.min(14, row - 3);
    context.font = `${size}px ${family}`;
    const widest = Math.max(0, ...state.shown.map((i) => context.measureText(tokens[i]).width));
    const label = Math.ceil(Math.min(widest + 22, width * 0.27, 150));
    layout = { width, count, row, size, family, label };
    if (isMatrix()) {
      layout.label = Math.max(label, 66);   // room for the titles of rows and columns
      layout.top = Math.ceil(Math.min(widest, 110) * 0.82 + 22);
      layout.left = layout.label + 4;
      layout.contentWidth = layout.left + count * row + Math.ceil(layout.top * 0.5);
      layout.contentHeight = layout.top + count * row + 4;
    } else {
      layout.top = HEADER;
      layout.bar = Math.round(Math.min(110, width * 0.18));
      layout.number = 52;
      layout.x1 = label + 6;
      layout.x2 = width - layout.number - layout.bar - label - 6;
      layout.contentWidth = width;
      layout.contentHeight = HEADER + count * row + 6;
    }
    const height = Math.min(BOX_HEIGHT, layout.contentHeight);
    layout.height = height;
    sticky.style.width = `${width}px`;
    sticky.style.height = `${height}px`;
    spacer.style.height = `${Math.max(0, layout.contentHeight - height)}px`;
    spacer.style.width = `${layout.contentWidth}px`;
    box.style.height = `${height + (layout.contentWidth > width + 1 ? 14 : 0)}px`;
    layout.context = sharpCanvas(canvas, width, height);
  }

  function label(context, text, kind, x, y, room, align, colour) {
    const { ink, family, size } = { ...state, ...layout };
    context.textAlign = align;
    context.textBaseline = "middle";
    const lead = /^(##|␣)/.exec(text)?.[0] ?? "";
    let rest = text.slice(lead.length);
    context.font = `${kind === "special" ? "italic " : ""}${size}px ${family}`;
    if (context.measureText(lead + rest).width > room) {
      while (rest.length > 1 && context.measureText(`${lead}${rest}…`).width > room) rest = rest.slice(0, -1);
      rest += "…";
    }
    const leadWidth = context.measureText(lead).width, restWidth = context.measureText(rest).width;
    const start = align === "right" ? x - leadWidth - restWidth : x;
    context.textAlign = "left";
    if (lead) { context.fillStyle = colour === ink.paper ? colour : ink.faint; context.fillText(lead, start, y); }
    context.fillStyle = kind === "special" && colour !== ink.paper ? ink.faint : colour;
    context.fillText(rest, start + leadWidth, y);
    return leadWidth + restWidth;
  }

  function pill(context, x, y, width, height, fill, alpha = 1) {
    context.globalAlpha = alpha;
    context.fillStyle = fill;
    context.beginPath();
    context.roundRect(x, y, width, height, Math.min(6, height / 2));
    context.fill();
    context.globalAlpha = 1;
  }

  function drawLines() {
    const { context, width, height, row, label: room, x1, x2, bar, count, top, family } = layout;
    const { ink, shown } = state;
    const part = chosen(), selected = query(), offset = box.scrollTop;
    const yOf = (position) => top + position * row + row / 2 - offset;
    const inView = (position) => { const y = yOf(position); return y > top - row && y < height + row; };
    context.clearRect(0, 0, width, height);

    // How strong a line must be to be drawn: the strongest LINES_AT_MOST of those that touch the rows in view.
    const tally = new Uint32Array(256);
    for (let q = 0; q < count; q++) {
      const seen = inView(q), at = shown[q] * n;
      for (let k = 0; k < count; k++) if (seen || inView(k)) tally[part[at + shown[k]]]++;
    }
    let least = 255;
    for (let total = tally[255]; least > 2 && total + tally[least - 1] <= LINES_AT_MOST; ) total += tally[--least];

    const buckets = Array.from({ length: 32 }, () => []);
    for (let q = 0; q < count; q++) {
      const seen = inView(q), at = shown[q] * n;
      if (selected >= 0 && shown[q] !== selected) continue;
      for (let k = 0; k < count; k++) {
        const byte = part[at + shown[k]];
        if ((selected >= 0 ? byte >= 1 : byte >= least) && (seen || inView(k))) buckets[byte >> 3].push(q, k);
      }
    }
    context.save();
    context.beginPath();
    context.rect(0, top, width, height - top);
    context.clip();
    context.strokeStyle = ink.query;
    context.lineCap = "round";
    const bend = (x2 - x1) * 0.45;
    buckets.forEach((pairs, bucket) => {
      if (!pairs.length) return;
      const share = (bucket * 8 + 4) / 255;
      context.globalAlpha = selected >= 0 ? 0.25 + 0.75 * share : Math.min(1, 0.05 + 0.95 * Math.pow(share, 0.9));
      context.lineWidth = (selected >= 0 ? 1 : 0.6) + share * Math.min(5.5, row * 0.25);
      context.beginPath();
      for (let i = 0; i < pairs.length; i += 2) {
        const from = yOf(pairs[i]), to = yOf(pairs[i + 1]);
        context.moveTo(x1, from);
        context.bezierCurveTo(x1 + bend, from, x2 - bend, to, x2, to);
      }
      context.stroke();
    });
    context.globalAlpha = 1;
    // From the query's colour to the key's, in one go: stroking each line with a gradient takes ten times as long.
    const gradient = context.createLinearGradient(x1, 0, x2, 0);
    gradient.addColorStop(0, ink.query);
    gradient.addColorStop(1, ink.key);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = gradient;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "source-over";

    // Each key's weight: from the chosen query, or on average over all queries.
    const received = shown.map((k) => (selected >= 0 ? part[selected * n + k]
      : shown.reduce((sum, q) => sum + part[q * n + k], 0) / count));
    const barStart = x2 + 6 + room, most = Math.max(...received);
    for (let position = 0; position < count; position++) {
      const y = yOf(position), token = shown[position];
      if (y < top - row || y > height + row) continue;
      const isSelected = token === selected, isPinned = token === model.get("query");
      if (isSelected) pill(context, 4, y - row / 2 + 2, x1 - 6, row - 4, ink.query, isPinned ? 1 : 0.2);
      label(context, tokens[token], kinds[token], x1 - 8, y, room - 10, "right",
        isSelected && isPinned ? ink.paper : isSelected || selected < 0 ? ink.query : ink.faint);
      const byte = received[position];
      const quiet = selected >= 0 && byte < 13;
      label(context, tokens[token], kinds[token], x2 + 8, y, room - 10, "left", quiet ? ink.faint : ink.key);
      const long = byte / 255 * bar;
      context.fillStyle = ink.line;
      context.fillRect(barStart, y - 0.5, bar, 1);
      if (byte > 0) pill(context, barStart, y - Math.min(6, row * 0.25), Math.max(1.5, long), Math.min(12, row * 0.5), ink.key, selected >= 0 ? 1 : 0.45);
      context.font = `${byte === most && selected >= 0 ? "600 " : ""}${Math.min(12.5, layout.size)}px ${family}`;
      context.textAlign = "right";
      context.fillStyle = quiet || selected < 0 ? ink.faint : ink.ink;
      context.fillText(percent(Math.round(byte)), width - 8, y);
    }
    context.restore();

    context.font = `600 12px ${family}`;
    context.textBaseline = "middle";
    const wide = width >= 420;
    context.textAlign = "right";
    context.fillStyle = ink.query;
    context.fillText(wide && room > 76 ? "query (looks)" : "query", x1 - 8, 11);
    context.textAlign = "left";
    context.fillStyle = ink.key;
    context.fillText("key", x2 + 8, 11);
    context.textAlign = "right";
    context.fillStyle = ink.faint;
    context.font = `12px ${family}`;
    context.fillText(selected >= 0 ? "weight" : wide ? "average weight" : "average", width - 8, 11);
  }

  function drawMatrix() {
    const { context, width, height, row, left, top, count, label: room, family } = layout;
    const { ink, shown, table } = state;
    const part = chosen(), selected = query(), down = box.scrollTop, across = box.scrollLeft;
    const gap = row >= 18 ? 1.5 : row >= 14 ? 1 : 0.5;
    context.clearRect(0, 0, width, height);
    const rows = [Math.max(0, Math.floor(down / row)), Math.min(count, Math.ceil((height - top + down) / row))];
    const columns = [Math.max(0, Math.floor(across / row)), Math.min(count, Math.ceil((width - left + across) / row))];
    context.save();
    context.beginPath();
    context.rect(left, top, width - left, height - top);
    context.clip();
    for (let q = rows[0]; q < rows[1]; q++) {
      for (let k = columns[0]; k < columns[1]; k++) {
        const byte = part[shown[q] * n + shown[k]], x = left + k * row - across, y = top + q * row - down;
        context.fillStyle = `rgb(${table[3 * byte]}, ${table[3 * byte + 1]}, ${table[3 * byte + 2]})`;
        context.fillRect(x + gap / 2, y + gap / 2, row - gap, row - gap);
        if (row >= 36 && byte >= 3) {
          context.font = `10.5px ${family}`;
          context.textAlign = "center";
          context.textBaseline = "middle";
          context.fillStyle = byte > 72 ? state.onDark : ink.ink;
          context.fillText(percent(byte), x + row / 2, y + row / 2);
        }
      }
    }
    context.strokeStyle = ink.line;
    context.lineWidth = 1;
    context.strokeRect(left - across, top - down, count * row, count * row);
    const q = shown.indexOf(selected), k = shown.indexOf(state.key);
    if (q >= 0) {
      context.strokeStyle = ink.query;
      context.lineWidth = 2;
      context.strokeRect(left - across, top + q * row - down, count * row, row);
    }
    if (q >= 0 && k >= 0) {
      context.strokeStyle = ink.key;
      context.strokeRect(left + k * row - across, top + q * row - down, row, row);
    }
    context.restore();

    context.save();
    context.beginPath();
    context.rect(0, top, left, height - top);
    context.clip();
    for (let q = rows[0]; q < rows[1]; q++) {
      const y = top + q * row + row / 2 - down, token = shown[q], isSelected = token === selected;
      const isPinned = token === model.get("query");
      if (isSelected) pill(context, 4, y - row / 2 + 1, left - 8, row - 2, ink.query, isPinned ? 1 : 0.2);
      label(context, tokens[token], kinds[token], left - 9, y, room - 8, "right",
        isSelected && isPinned ? ink.paper : isSelected || selected < 0 ? ink.query : ink.faint);
    }
    context.restore();
    context.save();
    context.beginPath();
    context.rect(left, 0, width - left, top);
    context.clip();
    for (let k = columns[0]; k < columns[1]; k++) {
      context.save();
      context.translate(left + k * row + row / 2 - across, top - 8);
      context.rotate(-Math.PI / 3.4);
      label(context, tokens[shown[k]], kinds[shown[k]], 0, 0, 110, "left",
        state.key < 0 || state.key === shown[k] ? ink.key : ink.faint);
      context.restore();
    }
    context.restore();
    context.font = `600 12px ${family}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillStyle = ink.query;
    context.fillText("query ↓", left - 9, top - 9);
    context.fillStyle = ink.key;
    context.fillText("key →", left - 9, top - 26);
  }

  // ---- the same in words
  function sentence() {
    const where = `Layer ${model.get("layer")}, head ${model.get("head")}: `;
    const selected = query();
    if (!state.shown.length) return `${where}no token is left to show.`;
    if (selected >= 0 && isMatrix() && state.key >= 0) {
      return `${where}${quoted(selected)} gives ${quoted(state.key)} ${weight(rowOf(selected)[state.key])} of its attention.`;
    }
    if (selected >= 0) {
      const row = rowOf(selected), best = strongest(row, state.shown, 3);
      const others = best.slice(1).filter((k) => row[k] >= 2).map((k) => `${quoted(k)} (${weight(row[k])})`);
      return `${where}${quoted(selected)} looks most at ${quoted(best[0])} (${weight(row[best[0]])})`
        + (others.length ? `, then ${others.join(" and ")}.` : ".");
    }
    const part = chosen();
    const links = state.shown.map((q) => { const row = part.subarray(q * n, (q + 1) * n); const [k] = strongest(row, state.shown, 1);
      return [q, k, row[k]]; }).sort((a, b) => b[2] - a[2] || a[0] - b[0]).slice(0, 3);
    return `${where}the strongest looks are ${links.map(([q, k, b]) => `${quoted(q)} at ${quoted(k)} (${weight(b)})`).join(", ")}.`;
  }

  function hiddenSentence() {
    if (!model.get("hide_special") || !specials().length || !state.shown.length) return "";
    const part = chosen(), selected = query(), rows = selected >= 0 ? [selected] : state.shown;
    let all = 0, left = 0;
    for (const q of rows) for (let k = 0; k < n; k++) {
      all += part[q * n + k];
      if (kinds[k] !== "special") left += part[q * n + k];
    }
    const share = Math.round(100 * (1 - left / all));
    const who = selected >= 0 ? quoted(selected) : "on average a token";
    return `Hidden: ${specials().join(" and ")}. Here ${who} gives them ${share}% of its attention, so what is shown adds up to ${100 - share}%.`;
  }

  // ---- drawing
  function draw() {
    state.frame = 0;
    if (!root.isConnected || !box.clientWidth || !n) return;
    if (state.stale) {
      state.ink = colours(root);
      const isDark = brightness(state.ink.ink) > 128;
      state.table = weightColours(isDark);
      state.onDark = isDark ? "#111" : "#fff";
      drawThumbnails();
      measure();
      state.stale = false;
    }
    if (isMatrix()) drawMatrix(); else drawLines();
    const layer = model.get("layer"), head = model.get("head");
    name.textContent = `Head (${layer}, ${head})`;
    layerSlider.set(layer);
    headSlider.set(head);
    const current = cells[layer * nHeads + head];
    for (const cell of grid.querySelectorAll(".ac-heads-chosen")) {
      cell.classList.remove("ac-heads-chosen");
      cell.setAttribute("aria-selected", "false");
    }
    current.classList.add("ac-heads-chosen");
    current.setAttribute("aria-selected", "true");
    grid.setAttribute("aria-activedescendant", current.id);
    const options = list.querySelectorAll("[role=option]");
    const pinned = model.get("query"), active = state.shown.indexOf(pinned);
    list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    options[active]?.setAttribute("aria-selected", "true");
    if (active >= 0) list.setAttribute("aria-activedescendant", options[active].id);
    else list.removeAttribute("aria-activedescendant");
    const words = sentence();
    canvas.setAttribute("aria-label", words);
    status.say(words);
    const note = hiddenSentence();
    if (hiddenNote.textContent !== note) hiddenNote.textContent = note;
  }
  function ask() { if (!state.frame) state.frame = requestAnimationFrame(draw); }
  // What a key or a slider chose is drawn at once: to wait for the next frame would cost one.
  function drawNow() { cancelAnimationFrame(state.frame); draw(); }
  function askAll() { state.stale = true; ask(); }

  function brightness(colour) {
    const probe = element("canvas", { width: 1, height: 1 }).getContext("2d");
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    return 0.3 * r + 0.59 * g + 0.11 * b;
  }

  function rebuild() {
    state.shown = tokens.map((_, i) => i).filter((i) => !(model.get("hide_special") && kinds[i] === "special"));
    state.hover = -1;
    state.key = -1;
    if (cells.length !== nLayers * nHeads) buildGrid();
    list.replaceChildren(...state.shown.map((i) => {
      const option = element("div", { role: "option", id: `${id}-query-${i}`, className: "ac-hidden" }, tokens[i]);
      option.setAttribute("aria-selected", "false");
      return option;
    }));
    const names = specials();
    hideSwitch.node.hidden = !names.length;
    hideSwitch.node.lastChild.textContent = `without ${names.join(" and ")}`;
    askAll();
  }

  // ---- pointing and keys in the picture
  function at(event) {
    const place = canvas.getBoundingClientRect();
    const x = event.clientX - place.left, y = event.clientY - place.top;
    const position = Math.floor((y - layout.top + box.scrollTop) / layout.row);
    const column = isMatrix() ? Math.floor((x - layout.left + box.scrollLeft) / layout.row) : -1;
    if (y < layout.top || position < 0 || position >= layout.count || (!isMatrix() && x > layout.x1 + 12)) return [-1, -1];
    return [state.shown[position], column >= 0 && x >= layout.left && column < layout.count ? state.shown[column] : -1];
  }
  list.addEventListener("pointermove", (event) => {
    const [token, key] = at(event);
    list.style.cursor = token >= 0 ? "pointer" : "default";
    if (token !== state.hover || key !== state.key) { state.hover = token; state.key = key; ask(); }
  });
  list.addEventListener("pointerleave", () => { state.hover = -1; state.key = -1; ask(); });
  list.addEventListener("click", (event) => {
    const [token] = at(event);
    state.hover = -1;
    send({ query: token === model.get("query") ? -1 : token });
  });
  list.addEventListener("keydown", (event) => {
    const { shown } = state, position = shown.indexOf(model.get("query")), last = shown.length - 1;
    const moves = { ArrowUp: position < 0 ? last : position - 1, ArrowDown: position + 1, Home: 0, End: last };
    if (event.key in moves) {
      const next = Math.max(0, Math.min(last, moves[event.key]));
      state.hover = -1;
      const y = next * layout.row, room = layout.height - layout.top;
      if (y < box.scrollTop) box.scrollTop = y;
      if (y + layout.row > box.scrollTop + room) box.scrollTop = y + layout.row - room + 6;
      send({ query: shown[next] ?? -1 });
    } else if (isMatrix() && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      const next = Math.max(0, Math.min(last, shown.indexOf(state.key) + (event.key === "ArrowRight" ? 1 : -1)));
      state.key = shown[next];
      const x = next * layout.row, room = layout.width - layout.left;
      if (x < box.scrollLeft) box.scrollLeft = x;
      if (x + layout.row > box.scrollLeft + room) box.scrollLeft = x + layout.row - room;
      ask();
    } else if (event.key === "Escape") {
      state.key = -1;
      send({ query: -1 });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("scroll", ask);

  // ---- life
  model.on("change:buffer change:tokens change:kinds change:shape", load);
  model.on("change:hide_special", rebuild);
  model.on("change:layer change:head change:query", drawNow);
  model.on("change:view", () => {
    state.key = -1;
    for (const radio of views.querySelectorAll("input")) radio.checked = radio.value === model.get("view");
    box.scrollTop = box.scrollLeft = 0;
    askAll();
  });
  model.on("change:hide_special", () => hideSwitch.set(model.get("hide_special")));
  model.on("change:text", () => field.set(model.get("text")));
  model.on("change:pair", () => second?.set(model.get("pair")));
  const sayProblem = () => problem.say(model.get("problem"));
  model.on("change:problem", sayProblem);
  sayProblem();
  load();
  let seenWidth = 0;
  const resize = new ResizeObserver(() => {
    if (root.clientWidth !== seenWidth) { seenWidth = root.clientWidth; askAll(); }
  });
  resize.observe(root);
  // A theme's name changes before its colours are all in force, so look again a little later.
  const stop = onTheme(() => { askAll(); setTimeout(askAll, 150); setTimeout(askAll, 600); });
  return () => { resize.disconnect(); stop(); cancelAnimationFrame(state.frame); };
} };
