// The table of finished jobs: a heading sorts, a menu per varied key filters, a checkbox selects a run.

const data = JSON.parse(document.getElementById("data").textContent);
const rows = [...document.querySelectorAll("#finished tbody tr")]; // in the order of data.runs
const selection = new Set(); // positions in data.runs
let order = data.runs.map((_, index) => index); // as the table stands
let selectionChanged = () => {}; // what shows the selected runs

/** Compare two values of a column: numbers before texts, and null last whichever way is up. */
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  if (typeof a === "number") return sign * (a - b);
  return sign * a.localeCompare(b, "en", { numeric: true });
}

/** Sort the rows by a column; equal rows keep their order. */
function sortBy(column, descending) {
  const value = (index) => data.runs[index].values[column];
  order.sort((a, b) => compare(value(a), value(b), descending ? -1 : 1));
  document.querySelector("#finished tbody").append(...order.map((index) => rows[index]));
  selectionChanged();
}

function makeSortable() {
  const headings = [...document.querySelectorAll("#finished thead th")];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const now = heading.getAttribute("aria-sort");
      const descending = now ? now === "ascending" : heading.dataset.better === "higher";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(column, descending);
    });
  });
}

/** A checkbox for every run that has a curve; the first of each pool are ticked. */
function makeSelectable() {
  const ticked = data.pools.map(() => 0);
  data.runs.forEach((run, index) => {
    if (run.curve === null) return;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "pick";
    box.setAttribute("aria-label", `show ${run.name}`);
    box.checked = ticked[run.pool]++ < data.first;
    if (box.checked) selection.add(index);
    box.addEventListener("change", () => select([index], box.checked));
    rows[index].querySelector("th").prepend(box);
  });
}

/** Select runs, or take them away. */
function select(indices, wanted) {
  for (const index of indices) {
    const box = rows[index].querySelector(".pick");
    if (box === null) continue;
    box.checked = wanted;
    if (wanted) selection.add(index);
    else selection.delete(index);
  }
  selectionChanged();
}

/** One menu per varied key with the values that runs have, and buttons that select what is left. */
function makeFilters() {
  const bar = document.getElementById("filters");
  const wanted = new Map(); // column -> text
  const text = (row, column) => row.cells[column].textContent;
  const filter = () => rows.forEach((row) => {
    row.hidden = [...wanted].some(([column, value]) => text(row, column) !== value);
  });
  document.querySelectorAll("#finished thead th").forEach((heading, column) => {
    if (heading.dataset.key === undefined) return;
    const values = [...new Set(rows.map((row) => text(row, column)))];
    if (values.length < 2) return;
    values.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const menu = document.createElement("select");
    menu.add(new Option("all", ""));
    values.forEach((value, place) => menu.add(new Option(value, String(place))));
    menu.addEventListener("change", () => {
      if (menu.value === "") wanted.delete(column);
      else wanted.set(column, values[Number(menu.value)]);
      filter();
    });
    const label = document.createElement("label");
    label.append(heading.dataset.key, menu);
    bar.append(label);
  });
  const button = (words, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", act);
    bar.append(made);
  };
  const listed = () => order.filter((index) => !rows[index].hidden);
  button("tick the runs listed", () => select(listed(), true));
  button("tick only these", () => {
    select([...selection], false);
    select(listed(), true);
  });
  button("tick none", () => select([...selection], false));
}

document.querySelectorAll(".live").forEach((part) => { part.hidden = false; });
makeSortable();
makeSelectable();
makeFilters();
