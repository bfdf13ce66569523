// The position explorer: sinusoidal positions as a picture, as two waves, as a turning hand; below, who resembles whom.
// The kernel sends the learned positions' similarities once; sinusoids and rotations are computed here, as
// sinusoidal_positions, position_similarity and rotary_similarity do in Python.

// ------------------------------------------------------------------------------------------------ mathematics

// Radians that a pair of dimensions turns from one position to the next.
function turnPerPosition(pair, dModel, base) { return base ** (-2 * pair / dModel); }

// (position, d_model), row after row: sine in even, cosine in odd columns.
function sinusoidalPositions(n, dModel, base) {
  const table = new Float64Array(n * dModel);
  for (let pair = 0; pair < dModel / 2; pair++) {
    const turn = turnPerPosition(pair, dModel, base);
    for (let position = 0; position < n; position++) {
      table[position * dModel + 2 * pair] = Math.sin(position * turn);
      table[position * dModel + 2 * pair + 1] = Math.cos(position * turn);
    }
  }
  return table;
}

// (position, position): dot products of rows with rows, divided by the product of their lengths.
function positionSimilarity(table, n, dModel) {
  const lengths = Float64Array.from({ length: n }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < dModel; i++) sum += table[row * dModel + i] ** 2;
    return Math.sqrt(sum);
  });
  const similarity = new Float64Array(n * n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = 0; i < dModel; i++) sum += table[a * dModel + i] * table[b * dModel + i];
      similarity[a * n + b] = similarity[b * n + a] = sum / lengths[a] / lengths[b];
    }
  }
  return similarity;
}

// One vector at every position, each half's numbers turned together, as in Llama: (position, d_head).
function rotated(vector, n, base) {
  const width = vector.length, half = width / 2, table = new Float64Array(n * width);
  for (let pair = 0; pair < half; pair++) {
    const turn = turnPerPosition(pair, width, base);
    for (let position = 0; position < n; position++) {
      const sine = Math.sin(position * turn), cosine = Math.cos(position * turn);
      table[position * width + pair] = vector[pair] * cosine - vector[pair + half] * sine;
      table[position * width + pair + half] = vector[pair + half] * cosine + vector[pair] * sine;
    }
  }
  return table;
}

// (query position, key position): the dot product of one query and one key, divided by its value at distance 0.
function rotarySimilarity(query, key, n, base) {
  const width = query.length, queries = rotated(query, n, base), keys = rotated(key, n, base);
  const together = query.reduce((sum, value, i) => sum + value * key[i], 0), similarity = new Float64Array(n * n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += queries[a * width + i] * keys[b * width + i];
      similarity[a * n + b] = sum / together;
    }
  }
  return similarity;
}

// For every distance from −(n − 1) to n − 1 the smallest and the largest similarity, and the largest gap between them.
function bandByDistance(similarity, n) {
  const least = new Float64Array(2 * n - 1).fill(Infinity), most = new Float64Array(2 * n - 1).fill(-Infinity);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      const i = b - a + n - 1, value = similarity[a * n + b];
      if (value < least[i]) least[i] = value;
      if (value > most[i]) most[i] = value;
    }
  }
  return { least, most, gap: most.reduce((largest, value, i) => Math.max(largest, value - least[i]), 0) };
}

// ------------------------------------------------------------------------------------------------------ words

const minus = (text) => text.replace("-", "−");
const decimals = (value, places = 2) => minus(value.toFixed(places)).replace(/^−(0\.?0*)$/, "$1");
const whole = (value) => Math.round(value).toLocaleString("en-GB");
const length = (value) => value < 100 ? value.toFixed(1) : whole(value);
const roundBase = (power) => Number((10 ** power).toPrecision(2));

// ------------------------------------------------------------------------------------------------------- view

function render({ model, el }) {
  const n = model.get("n_positions"), dModel = model.get("d_model"), nPairs = dModel / 2;
  const vectors = asFloat32(model.get("query_and_key")), query = vectors.subarray(0, dModel), key = vectors.subarray(dModel);
  const learned = model.get("learned")?.byteLength ? asFloat32(model.get("learned")) : null;
  const modelName = model.get("model_name"), state = {}, texture = document.createElement("canvas");
  let table, palette, place, said = "";

  const change = (name, value, words) => {
    said = words;
    model.set(name, value);
    model.save_changes();
    said = "";
  };

  // ---- controls
  const position = slider({ label: "Position", min: 0, max: n - 1, value: model.get("position"),
    onInput: (value) => change("position", value, positionWords) });
  const pair = slider({ label: "Pair of dimensions", min: 0, max: nPairs - 1, value: model.get("pair"),
    onInput: (value) => change("pair", value, pairWords) });
  const base = slider({ label: "Base", min: 1, max: 5, step: 0.1, value: Math.log10(model.get("base")),
    format: (power) => whole(roundBase(power)), onInput: (power) => change("base", roundBase(power), baseWords) });

  // ---- pictures
  const canvas = (name) => element("canvas", { role: "img", className: name });
  const heat = canvas("pw-heat"), waves = canvas("pw-waves"), circle = canvas("pw-circle");
  const heading = (number, ...title) => element("div", { className: "pw-heading" }, element("span", { className: "pw-number" }, number), ...title);
  const swatch = (kind) => element("i", { className: `pw-swatch pw-${kind}` });
  const sineName = element("span"), cosineName = element("span"), turnWords = element("p"), angleWords = element("p");
  const wavesTitle = element("span");
  const scale = element("div", { className: "pw-scale" }, "−1", element("i", { className: "pw-ramp" }), "1");
  const picturePart = element("div", { className: "pw-part pw-picture" }, heading("1", "Every position gets a row of numbers"), heat, scale);
  const words = element("div", { className: "pw-words" }, turnWords, angleWords);
  const wavesPart = element("div", { className: "pw-part" }, heading("2", wavesTitle),
    element("div", { className: "pw-legend" }, element("span", {}, swatch("sine"), sineName), element("span", {}, swatch("cosine"), cosineName)),
    waves, element("div", { className: "pw-turn" }, circle, words));

  const kinds = [
    { name: "sinusoidal", title: "Sinusoidal", similarity: null },
    ...(learned ? [{ name: "learned", title: `Learned, by ${modelName}`, similarity: learned }] : []),
    { name: "rotary", title: "Rotary, one query and one key", similarity: null },
  ].map((kind) => ({ ...kind, canvas: canvas("pw-similar"), verdict: element("p", { className: "pw-verdict" }) }));
  if (learned) kinds[1].band = bandByDistance(learned, n);
  const similarTitle = element("span");
  const missing = learned ? "" : modelName
    ? `${modelName} keeps no table of ${n} learned positions, so none is shown beside these.`
    : "With PositionExplorer(model), the positions that a model has learned stand beside these.";
  const similar = element("div", { className: "pw-part pw-below" }, heading("3", similarTitle),
    element("div", { className: "pw-legend" }, element("span", {}, swatch("line"), "from the chosen position"), element("span", {}, swatch("band"), "range over all positions")),
    element("div", { className: "pw-kinds" }, ...kinds.map((kind) => element("div", { className: "pw-kind" }, element("div", { className: "pw-kind-title" }, kind.title), kind.canvas, kind.verdict))),
    ...(missing ? [element("p", { className: "pw-missing" }, missing)] : []));
  const status = statusLine();
  const root = element("div", { className: "ac position-waves" },
    element("div", { className: "ac-title" }, "Position explorer"),
    element("p", { className: "ac-hint" }, "Move the sliders, or click in the picture. What changes with the position, what with the distance only?"),
    element("div", { className: "ac-controls" }, position.node, pair.node, base.node),
    element("div", { className: "pw-top" }, picturePart, wavesPart), similar, status.node);
  el.append(root);

  // ---- sentences
  const wave = (which) => 2 * Math.PI / turnPerPosition(which, dModel, state.base);

  function positionWords() {
    const parts = kinds.map(({ name, similarity }) => {
      const next = state.position + 1 < n ? state.position + 1 : state.position - 1;
      return `${name} ${decimals(similarity[state.position * n + next])}`;
    });
    return `Position ${state.position}, similarity with its neighbour: ${parts.join(", ")}.`;
  }

  function pairWords() {
    const turns = (n - 1) / wave(state.pair);
    const much = turns >= 0.95 ? `makes ${decimals(turns, 1)} turns` : `moves by ${decimals(turns * 360, turns * 360 < 10 ? 1 : 0)} degrees`;
    return `Pair ${state.pair}: over these ${n} positions its hand ${much}.`;
  }

  function baseWords() {
    return `Base ${whole(state.base)}: pair 0 turns once in 6.3 positions, as always, pair ${nPairs - 1} once in ${length(wave(nPairs - 1))}.`;
  }

  // ---- drawing
  const font = (bold = false) => `${bold ? 600 : 400} 12px ${place.family}`;

  function channels(colour) {
    const context = texture.getContext("2d");
    context.fillStyle = colour;
    const known = context.fillStyle;
    return known.startsWith("#") ? [1, 3, 5].map((i) => parseInt(known.slice(i, i + 2), 16)) : known.match(/[\d.]+/g).slice(0, 3).map(Number);
  }

  // One pixel a number, to be enlarged; the colours always reach from −1 to 1.
  function paintTexture() {
    const paper = channels(palette.paper), plus = channels(palette.plus), less = channels(palette.less);
    texture.width = dModel;
    texture.height = n;
    const context = texture.getContext("2d"), image = context.createImageData(dModel, n);
    table.forEach((value, i) => {
      const to = value < 0 ? less : plus, part = Math.abs(value);
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + (to[c] - paper[c]) * part;
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
  }

  // Round numbers on an axis, few enough to be read.
  function ticks(from, to, pixels, spacing = 44) {
    const step = [1, 2, 5, 10, 20, 25, 50, 100].find((size) => (to - from) / size * spacing <= pixels) || 100, found = [];
    for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) found.push(tick);
    return found;
  }

  function outlined(context, x, y, width, height) {
    for (const [colour, thick, away] of [[palette.paper, 1, 0.5], [palette.ink, 2, 2]]) {  // outside, so that no number is hidden
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.strokeRect(x - away, y - away, width + 2 * away, height + 2 * away);
    }
  }

  const heatBox = { left: 34, top: 22, right: 4, bottom: 36 };
  function drawHeat() {
    const side = Math.max(200, Math.min(330, place.heat - heatBox.left - heatBox.right));
    const { left, top } = heatBox, width = side, height = side;
    heatBox.side = side;
    const context = sharpCanvas(heat, left + width + heatBox.right, top + height + heatBox.bottom);
    context.imageSmoothingEnabled = false;
    context.drawImage(texture, left, top, width, height);
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    const across = width / dModel, down = height / n, y = top + state.position * down, x = left + 2 * state.pair * across;
    outlined(context, left, y, width, down);
    outlined(context, x, top, 2 * across, height);
    context.font = font();
    context.fillStyle = palette.faint;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const tick of ticks(0, n - 1, height)) {
      if (Math.abs(tick - state.position) * down > 14) context.fillText(tick, left - 6, top + (tick + 0.5) * down);
    }
    context.textAlign = "center";
    const mine = left + (2 * state.pair + 1) * across;
    for (const tick of ticks(0, dModel - 1, width)) context.fillText(tick, left + (tick + 0.5) * across, top + height + 12);
    context.fillText("dimension →", left + width / 2, top + height + 28);
    context.font = font(true);
    context.fillStyle = palette.ink;
    context.fillText(`pair ${state.pair}`, Math.max(left + 18, Math.min(left + width - 18, mine)), top - 12);
    context.textAlign = "right";
    context.fillText(state.position, left - 6, y + down / 2);
    context.textAlign = "left";
    context.font = font();
    context.fillStyle = palette.faint;
    if (mine > 90) context.fillText("position ↓", 0, top - 12);
    heat.setAttribute("aria-label", `Heat map of ${n} positions by ${dModel} dimensions, from −1 to 1. Columns on the left change fast from position to position, columns on the right hardly. `
      + `Chosen: position ${state.position} and pair ${state.pair}, columns ${2 * state.pair} and ${2 * state.pair + 1}.`);
  }

  // Axes of a line picture; gives the functions from numbers to pixels.
  function plot(canvasNode, width, height, [x0, x1], [y0, y1], yTicks, xTitle) {
    const left = 36, right = 10, top = 8, bottom = 36;
    const context = sharpCanvas(canvasNode, width, height);
    const X = (x) => left + (x - x0) / (x1 - x0) * (width - left - right), Y = (y) => height - bottom - (y - y0) / (y1 - y0) * (height - top - bottom);
    context.font = font();
    context.lineWidth = 1;
    context.textBaseline = "middle";
    for (const tick of yTicks) {
      context.strokeStyle = palette.line;
      context.globalAlpha = tick === 0 ? 1 : 0.5;
      context.beginPath();
      context.moveTo(left, Math.round(Y(tick)) + 0.5);
      context.lineTo(width - right, Math.round(Y(tick)) + 0.5);
      context.stroke();
      context.globalAlpha = 1;
      context.fillStyle = palette.faint;
      context.textAlign = "right";
      context.fillText(minus(String(tick)), left - 6, Y(tick));
    }
    context.textAlign = "center";
    for (const tick of ticks(x0, x1, width - left - right)) context.fillText(minus(String(tick)), X(tick), height - bottom + 12);
    context.fillText(xTitle, (left + width - right) / 2, height - 8);
    return { context, X, Y, top, bottom: height - bottom };
  }

  function line(context, points, colour, thick, dash = []) {
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.setLineDash(dash);
    context.lineJoin = "round";
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
    context.setLineDash([]);
  }

  function dot(context, x, y, colour, radius = 5) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = palette.paper;
    context.stroke();
  }

  function drawWaves() {
    const { position: p, pair: i } = state, turn = turnPerPosition(i, dModel, state.base), angle = p * turn;
    const { context, X, Y, top, bottom } = plot(waves, place.waves, 172, [0, n - 1], [-1.1, 1.1], [-1, 0, 1], "position");
    line(context, [[X(p), top], [X(p), bottom]], palette.ink, 1);
    const grid = Array.from({ length: 4 * (n - 1) + 1 }, (_, step) => step / 4);
    line(context, grid.map((x) => [X(x), Y(Math.sin(x * turn))]), palette.sine, 2);
    line(context, grid.map((x) => [X(x), Y(Math.cos(x * turn))]), palette.cosine, 2, [6, 4]);
    dot(context, X(p), Y(Math.sin(angle)), palette.sine);
    dot(context, X(p), Y(Math.cos(angle)), palette.cosine);
    const turns = length(wave(i));
    waves.setAttribute("aria-label", `Sine and cosine of pair ${i} over ${n} positions, a full turn every ${turns} positions. At position ${p}: sine ${decimals(Math.sin(angle))}, cosine ${decimals(Math.cos(angle))}.`);

    const size = 148, middle = size / 2, radius = 58, hand = sharpCanvas(circle, size, size);
    const at = (turned, far = radius) => [middle + far * Math.cos(turned), middle - far * Math.sin(turned)], [x, y] = at(angle);
    hand.strokeStyle = palette.line;
    hand.lineWidth = 1;
    hand.beginPath();
    hand.arc(middle, middle, radius, 0, 2 * Math.PI);
    hand.moveTo(middle - radius - 8, middle); hand.lineTo(middle + radius + 8, middle);
    hand.moveTo(middle, middle - radius - 8); hand.lineTo(middle, middle + radius + 8);
    hand.stroke();
    hand.fillStyle = palette.faint;
    for (let other = 0; other < n; other++) {
      hand.beginPath();
      hand.arc(...at(other * turn), 1.8, 0, 2 * Math.PI);
      hand.fill();
    }
    line(hand, [[middle, middle], [x, middle]], palette.cosine, 3, [5, 3]);
    line(hand, [[x, middle], [x, y]], palette.sine, 3);
    line(hand, [[middle, middle], [x, y]], palette.ink, 2);
    dot(hand, x, y, palette.ink);
    circle.setAttribute("aria-label", `A hand on a circle that has turned ${decimals(angle / 2 / Math.PI)} times at position ${p}; small dots mark the other positions.`);
    const bold = (text) => element("strong", {}, text), power = () => element("sup", {}, `${2 * i}/${dModel}`);
    wavesTitle.textContent = `Pair ${i}: a sine and a cosine over the positions`;
    sineName.textContent = `sine, column ${2 * i}: ${decimals(Math.sin(angle))}`;
    cosineName.textContent = `cosine, column ${2 * i + 1}: ${decimals(Math.cos(angle))}`;
    turnWords.replaceChildren("A full turn takes ", bold(`${turns} positions`), " ", element("span", {}, `(2π · ${whole(state.base)}`, power(), ")."));
    angleWords.replaceChildren(`At position ${p} the hand has turned `, element("span", {}, `${p} / ${whole(state.base)}`, power()), " = ",
      bold(`${decimals(angle)} rad`), `, that is ${decimals(angle / 2 / Math.PI)} turns. Its height is the sine, its width the cosine.`);
  }

  function drawSimilar() {
    const p = state.position;
    similarTitle.textContent = `How similar is position ${p} to the others?`;
    for (const { name, similarity, band, canvas: node, verdict } of kinds) {
      const { context, X, Y, top, bottom } = plot(node, place.similar, 176, [1 - n, n - 1], [-0.6, 1.1], [-0.5, 0, 0.5, 1], "distance (other − chosen)");
      line(context, [[X(0), top], [X(0), bottom]], palette.line, 1);
      context.save();
      context.beginPath();
      context.rect(X(1 - n), top, X(n - 1) - X(1 - n), bottom - top);
      context.clip();
      context.beginPath();
      for (let i = 0; i < 2 * n - 1; i++) context.lineTo(X(i - n + 1), Y(band.most[i]));
      for (let i = 2 * n - 2; i >= 0; i--) context.lineTo(X(i - n + 1), Y(band.least[i]));
      context.closePath();
      context.fillStyle = context.strokeStyle = palette.band;
      context.lineWidth = 2;
      context.fill();
      context.stroke();
      line(context, Array.from({ length: n }, (_, other) => [X(other - p), Y(similarity[p * n + other])]), palette.plus, 2);
      context.restore();
      dot(context, X(0), Y(1), palette.plus, 4);
      const exact = band.gap < 0.005;
      const text = exact ? (name === "rotary" ? "Only the distance counts, and its direction: left and right differ." : "Only the distance counts: the same from every position.")
        : `Only roughly: at the same distance it differs by up to ${decimals(band.gap)}.`;
      if (verdict.textContent !== text) verdict.textContent = text;
      const step = Math.min(10, n - 1 - p) || -10;
      node.setAttribute("aria-label", `Similarity of position ${p} with the others, ${name}: 1 at distance 0, ${decimals(similarity[p * n + p + step])} at distance ${minus(String(step))}. ${text}`);
    }
  }

  function recompute() {
    table = sinusoidalPositions(n, dModel, state.base);
    for (const kind of kinds) {
      if (kind.name === "learned") continue;
      kind.similarity = kind.name === "sinusoidal" ? positionSimilarity(table, n, dModel) : rotarySimilarity(query, key, n, state.base);
      kind.band = bandByDistance(kind.similarity, n);
    }
  }

  function redraw(theme = false) {
    const before = state.base;
    Object.assign(state, { position: model.get("position"), pair: model.get("pair"), base: model.get("base") });
    // Before it stands in the page there is neither a width nor a theme; the observer below calls again.
    if (!root.isConnected) return;
    if (!palette || theme) {
      const css = getComputedStyle(root), own = (name) => css.getPropertyValue(`--pw-${name}`).trim();
      palette = { ...colours(root), ...Object.fromEntries(["plus", "less", "sine", "cosine", "band"].map((name) => [name, own(name)])) };
      // Asked for once: to measure while drawing would make the browser lay the page out again and again.
      place = { family: css.fontFamily, heat: picturePart.clientWidth || 360, waves: wavesPart.clientWidth || 440, similar: kinds[0].canvas.parentElement.clientWidth || 270 };
    }
    if (before !== state.base || !table) recompute();
    if (before !== state.base || theme || texture.width !== dModel) paintTexture();
    drawHeat();
    drawWaves();
    drawSimilar();
    status.say(said ? said() : pairWords());
  }

  // ---- choosing in the picture
  let pointing = false;
  function point(event) {
    const box = heat.getBoundingClientRect(), { left, top, side } = heatBox, limit = (value, most) => Math.max(0, Math.min(most, Math.floor(value)));
    model.set("pair", limit((event.clientX - box.left - left) / side * nPairs, nPairs - 1));
    change("position", limit((event.clientY - box.top - top) / side * n, n - 1), positionWords);
  }
  heat.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;  // a finger scrolls the page first; its tap is a click
    pointing = true;
    heat.setPointerCapture(event.pointerId);
    point(event);
  });
  heat.addEventListener("click", (event) => { if (event.pointerType === "touch") point(event); });
  heat.addEventListener("pointermove", (event) => { if (pointing) point(event); });
  for (const name of ["pointerup", "pointercancel"]) heat.addEventListener(name, () => { pointing = false; });

  // ---- joining it to the kernel
  function showBase() {
    base.set(Math.log10(model.get("base")));
    const exact = whole(model.get("base"));  // a cell may set a base between two steps of the slider
    base.node.querySelector("output").textContent = exact;
    base.input.setAttribute("aria-valuetext", exact);
    redraw();
  }
  const listeners = [
    ["change:position", () => { position.set(model.get("position")); redraw(); }],
    ["change:pair", () => { pair.set(model.get("pair")); redraw(); }],
    ["change:base", showBase],
  ];
  const disconnect = connect(model, listeners);
  showBase();
  const stop = onThemeOrWidth(root, () => redraw(true));
  return () => { stop(); disconnect(); };
}

export default { render };
