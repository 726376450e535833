// The curves of the selected runs in one figure per pool, and their operating points at the slider's lambda.

const COLOURS = 8; // as --run-0 to --run-7
const DASHES = ["", "7 3", "2 2.5", "9 2.5 2 2.5"];
const slots = new Map(); // run -> its place among colours and dashes
const decoded = new Map(); // run -> its curve as arrays
let pool = 0;
let scale = "cost";

const slider = document.getElementById("lambda");
const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`.replace("-", "−");

/** Four digits without an exponent, however small the number is. */
const plain = (value) => new Intl.NumberFormat("en", { maximumSignificantDigits: 4, minimumSignificantDigits: 4 }).format(value);

/** An array from base64 of little-endian numbers. */
function unpack(text, Numbers) {
  return new Numbers(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
}

/** The curve of a run; see `curve_data` of prefillroute/reports/sweep_page/data.py. */
function curveOf(index) {
  if (!decoded.has(index)) {
    const kept = data.runs[index].curve;
    decoded.set(index, {
      ...kept,
      begins: unpack(kept.begins, Uint16Array),
      cost: unpack(kept.cost, Float64Array),
      accuracy: unpack(kept.accuracy, Float64Array),
      changes: unpack(kept.changes, kept.wide ? Int32Array : Int16Array),
      changed: unpack(kept.changed, Uint16Array),
      line: unpack(kept.line, Float32Array),
    });
  }
  return decoded.get(index);
}

/** The operating point of a curve at a position of the slider: cost, accuracy, and the share of each target. */
function operatingPoint(curve, position) {
  let point = 0;
  while (point + 1 < curve.begins.length && curve.begins[point + 1] <= position) point += 1;
  const counts = data.pools[pool].targets.map(() => 0);
  let change = 0;
  for (let step = 0; step <= point; step += 1) {
    for (const end = change + curve.changed[step]; change < end; change += 1) {
      counts[curve.changes[2 * change]] += curve.changes[2 * change + 1];
    }
  }
  return {
    cost: curve.cost[point],
    accuracy: curve.accuracy[point],
    shares: counts.map((count) => count / curve.queries),
  };
}

/** Where a cost and an accuracy lie in the view box of a figure. */
function place(stage, curve, cost, accuracy) {
  let x = stage.log ? Math.log10(1000 * cost) : 1000 * cost;
  let y = accuracy;
  if (stage.scale === "normalised") {
    const share = curve.least / curve.dearest;
    x = Math.min(Math.max((curve.least / cost - share) / (1 - share), 0), 1);
    y = (accuracy - curve.floor) / (curve.ceiling - curve.floor);
  }
  const [left, top, width, height] = stage.box;
  return [
    left + (width * (x - stage.x[0])) / (stage.x[1] - stage.x[0]),
    top + (height * (stage.y[1] - y)) / (stage.y[1] - stage.y[0]),
  ].map((value) => value.toFixed(2));
}

/** The selected runs of the pool, as the table stands; each has a colour and a dash that it keeps while selected. */
function shownRuns() {
  for (const index of slots.keys()) if (!selection.has(index)) slots.delete(index);
  const shown = order.filter((index) => selection.has(index) && data.runs[index].pool === pool);
  for (const index of shown) {
    const taken = new Set([...slots].filter(([run]) => data.runs[run].pool === pool).map(([, slot]) => slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    if (!slots.has(index)) slots.set(index, slot);
  }
  return shown;
}

/** A new element of a figure; its name space is taken from the figure. */
function drawn(figure, tag, attributes) {
  const made = document.createElementNS(figure.namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function styleOf(index) {
  const slot = slots.get(index);
  return [`--slot: var(--run-${slot % COLOURS})`, DASHES[Math.floor(slot / COLOURS) % DASHES.length]];
}

/** The figure of a stage, with a group for live curves and one for points in the place of the static curves. */
function layersOf(stage) {
  const figure = document.querySelector(`[data-pool="${pool}"] [data-scale="${stage.scale}"] svg`);
  let curves = figure.querySelector(".curves");
  if (curves === null) {
    const old = [...figure.querySelectorAll(`[id^="${stage.name}-static-"]`)];
    curves = drawn(figure, "g", { class: "curves" });
    old[0].before(curves);
    old.forEach((line) => line.remove());
    figure.append(drawn(figure, "g", { class: "dots" }));
  }
  return [figure, curves, figure.querySelector(".dots")];
}

/** Draw the selected runs' curves. */
function drawCurves(stage, shown) {
  const [figure, curves] = layersOf(stage);
  curves.replaceChildren(...shown.map((index) => {
    const curve = curveOf(index);
    const corners = [];
    for (let at = 0; at < curve.line.length; at += 2) {
      corners.push(place(stage, curve, curve.line[at], curve.line[at + 1]).join(" "));
    }
    const [style, dash] = styleOf(index);
    const path = drawn(figure, "path", {
      class: "curve", d: `M${corners.join("L")}`, style, "stroke-dasharray": dash, "data-run": index,
    });
    const title = drawn(figure, "title", {});
    title.textContent = data.runs[index].name;
    path.append(title);
    return path;
  }));
}

/** A row per selected run: its line, its name, and cells that `move` fills. */
function makeRows(shown) {
  document.querySelector("#operating tbody").replaceChildren(...shown.map((index) => {
    const row = document.createElement("tr");
    const [style, dash] = styleOf(index);
    row.innerHTML = `<th scope="row"><span class="row-name" dir="auto"><svg class="swatch" viewBox="0 0 36 10" aria-hidden="true">
      <path class="curve" d="M0 5H36" style="${style};stroke-width:3" stroke-dasharray="${dash}"/></svg></span></th>
      <td></td><td></td><td></td><td class="word"><div class="bar" role="img"></div><small></small></td>`;
    row.querySelector(".row-name").append(data.runs[index].name);
    row.dataset.run = index;
    row.querySelector(".bar").append(
      ...[...data.pools[pool].shaded, null].map(() => document.createElement("span")),
    );
    for (const [event, strong] of [["pointerenter", true], ["pointerleave", false]]) {
      row.addEventListener(event, () => {
        document.querySelectorAll(`path[data-run="${index}"]`).forEach((path) => path.classList.toggle("strong", strong));
      });
    }
    return row;
  }));
}

function shadeOf(number, shaded) {
  if (number === shaded.length) return "var(--others)";
  return `var(--shade-${shaded.length > 1 ? Math.round((7 * number) / (shaded.length - 1)) : 4})`;
}

/** Fill a cell with one line or two, and keep the number behind its text. */
function fill(cell, value, text, more = "") {
  const small = document.createElement("small");
  small.textContent = more;
  cell.replaceChildren(text, ...(more ? [document.createElement("br"), small] : []));
  cell.dataset.value = value;
}

/** Show the operating points at the slider's lambda. */
function move() {
  const position = Number(slider.value);
  const lambda = (position / (data.lambdas - 1)).toFixed(3);
  document.getElementById("lambda-value").textContent = lambda;
  slider.setAttribute("aria-valuetext", `lambda ${lambda}`);
  const { shaded, targets, stages } = data.pools[pool];
  const stage = stages.find((one) => one.scale === scale);
  const [figure, , dots] = layersOf(stage);
  const made = [];
  for (const row of document.querySelectorAll("#operating tbody tr")) {
    const index = Number(row.dataset.run);
    const curve = curveOf(index);
    const { cost, accuracy, shares } = operatingPoint(curve, position);
    fill(row.cells[1], accuracy, percent(accuracy));
    fill(row.cells[2], cost, plain(1000 * cost), `${plain(cost)} per query`);
    fill(row.cells[3], cost / curve.dearest, percent(cost / curve.dearest));
    const parts = shaded.map((target) => shares[target]);
    parts.push(Math.max(0, 1 - parts.reduce((sum, part) => sum + part, 0)));
    parts.forEach((part, number) => {
      const piece = row.querySelector(".bar").children[number];
      piece.style.cssText = `width:${100 * part}%;background:${shadeOf(number, shaded)}`;
      piece.dataset.value = part;
      piece.title = `${number < shaded.length ? targets[shaded[number]] : "other targets"} ${percent(part, 1)}`;
    });
    const greatest = shares.map((_, target) => target).filter((target) => shares[target] > 0);
    greatest.sort((a, b) => shares[b] - shares[a]);
    const said = greatest.slice(0, 3).map((target) => `${targets[target]} ${percent(shares[target], 1)}`).join(", ");
    const more = greatest.length > 3 ? ` and ${greatest.length - 3} more` : "";
    row.querySelector(".bar + small").textContent = said + more;
    row.querySelector(".bar").setAttribute("aria-label", said + more);
    const [cx, cy] = place(stage, curve, cost, accuracy);
    made.push(drawn(figure, "circle", { class: "dot", cx, cy, r: 5.5, style: styleOf(index)[0], "data-run": index }));
  }
  dots.replaceChildren(...made);
}

/** Show the pool and the scale that are chosen, with the selected runs. */
function show() {
  document.querySelectorAll("[data-pool]").forEach((part) => { part.hidden = Number(part.dataset.pool) !== pool; });
  const { stages, shaded, targets } = data.pools[pool];
  document.getElementById("operating").hidden = stages.length === 0;
  document.getElementById("scales").hidden = stages.length < 2;
  if (stages.length === 0) return;
  const stage = stages.find((one) => one.scale === scale) ?? stages[0];
  scale = stage.scale;
  document.querySelector(`[name=scale][value=${scale}]`).checked = true;
  document.querySelectorAll("#curves [data-scale]").forEach((part) => { part.hidden = part.dataset.scale !== scale; });
  const shown = shownRuns();
  drawCurves(stage, shown);
  makeRows(shown);
  document.getElementById("shades").replaceChildren(...[...shaded, null].map((target, number) => {
    const name = document.createElement("span");
    const sample = document.createElement("i");
    sample.style.background = shadeOf(number, shaded);
    name.append(sample, target === null ? "other targets" : targets[target]);
    return name;
  }).filter((_, number) => number < shaded.length || shaded.length < targets.length));
  move();
}

/** Show one grouping. */
function group() {
  const chosen = document.getElementById("grouping").value;
  document.querySelectorAll("[data-grouping]").forEach((part) => { part.hidden = part.dataset.grouping !== chosen; });
}

if (slider !== null) {
  slider.max = data.lambdas - 1;
  document.getElementById("pool-label").hidden = data.pools.length < 2;
  document.querySelectorAll("#curves .static").forEach((legend) => { legend.hidden = true; });
  document.getElementById("pool").addEventListener("change", (event) => { pool = Number(event.target.value); show(); });
  document.querySelectorAll("[name=scale]").forEach((choice) => {
    choice.addEventListener("change", () => { scale = choice.value; show(); });
  });
  slider.addEventListener("input", move);
  selectionChanged = show;
  show();
}
if (document.getElementById("grouping") !== null) {
  document.getElementById("grouping").addEventListener("change", group);
  group();
}
