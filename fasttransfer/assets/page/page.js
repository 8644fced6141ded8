"use strict";
// The page of a comparison. The report may hold any text, so it is only ever set as text or as an
// attribute, never as HTML.

const $ = (id) => document.getElementById(id);
const report = JSON.parse($("report").textContent);
const { columns, styles, photos } = report;
for (const one of [...styles, ...photos.flatMap((photo) => photo.versions)]) {
  one.scores = one.scores.map((score) => score === "never" ? Infinity : score);
}
const picture = $("picture"), handle = $("handle");
const DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
const ITSELF = -1; // the photo, where the number of a style is expected

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const written = (score) => score === null ? "–" : score === Infinity ? "never" : score.toLocaleString("en", DIGITS);
const better = (column, a, b) => a !== null && (b === null || (columns[column].more ? a > b : a < b));

const photosOf = styles.map((_, style) => photos.filter((photo) => photo.versions.some((one) => one.style === style)));

function comparable(a, b) { // styles without a common photo were run at different sizes
  return !photosOf[a].length || !photosOf[b].length || photosOf[a].some((photo) => photosOf[b].includes(photo));
}

function best(column, style) { // null where there is nothing to compare
  const others = styles.filter((_, other) => comparable(style, other));
  const found = others.map((one) => one.scores[column]).filter((score) => score !== null);
  if (new Set(found).size < 2) return null;
  return columns[column].more ? Math.max(...found) : Math.min(...found);
}

// The comparison

const shown = { photo: 0, left: ITSELF, right: 0 };

function version(style) { // of the photo that is shown; undefined if it has none in this style
  const photo = photos[shown.photo];
  if (style === ITSELF) return { name: "Photo", picture: photo.picture, scores: null };
  const found = photo.versions.find((one) => one.style === style);
  return found && { name: styles[style].name, ...found };
}

function choose(side, style) {
  const other = side === "left" ? "right" : "left";
  if (style === shown[other]) shown[other] = shown[side]; // both sides alike would show nothing
  shown[side] = style;
  show();
}

function show() {
  const photo = photos[shown.photo];
  const there = [ITSELF, ...photo.versions.map((one) => one.style)];
  for (const side of ["left", "right"]) {
    if (!there.includes(shown[side])) shown[side] = side === "left" ? ITSELF : there.at(-1);
    $(`choose-${side}`).replaceChildren(...there.map((style) => new Option(version(style).name, style)));
    $(`choose-${side}`).value = shown[side];
    showSide(side);
  }
  showScores("left", "right");
  showScores("right", "left");
  picture.style.setProperty("--ratio", photo.width / photo.height);
  for (const button of $("photos").children) check(button, Number(button.value) === shown.photo);
}

function showSide(side) {
  const { name, picture: source } = version(shown[side]);
  const image = $(side), label = document.querySelector(`.corner.${side}`);
  if (image.src !== source) image.src = source;
  image.alt = `${photos[shown.photo].name}: ${name}`;
  label.textContent = name;
}

function showScores(side, other) {
  const [own, beside] = [version(shown[side]), version(shown[other])];
  if (!own.scores) {
    const { width, height } = photos[shown.photo];
    $(`scores-${side}`).replaceChildren(pair("original", `${width} × ${height}`));
    return;
  }
  const pairs = columns.flatMap((column, number) => {
    const score = own.scores[number];
    if (score === null) return [];
    const shownScore = pair(column.label, written(score));
    shownScore.title = column.meaning;
    shownScore.classList.toggle("best", Boolean(beside.scores) && better(number, score, beside.scores[number]));
    return [shownScore];
  });
  $(`scores-${side}`).replaceChildren(...pairs);
}

function pair(name, value) {
  const both = make("div");
  both.append(make("dt", name), make("dd", value));
  return both;
}

function check(button, on) {
  button.setAttribute("aria-checked", on);
  button.tabIndex = on ? 0 : -1;
}

function buttonOfPhoto(photo, number) {
  const button = make("button", "", { type: "button", role: "radio", value: number, title: photo.name });
  button.append(make("img", "", { src: photo.picture, alt: "", draggable: "false" }), make("span", photo.name, { dir: "auto" }));
  button.onclick = () => { shown.photo = number; show(); };
  return button;
}

$("photos").addEventListener("keydown", (event) => { // as a group of radio buttons is used
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const next = $("photos").children[(shown.photo + step + photos.length) % photos.length];
  next.focus();
  next.click();
  event.preventDefault();
});

for (const side of ["left", "right"]) {
  $(`choose-${side}`).onchange = (event) => choose(side, Number(event.target.value));
}
$("swap").onclick = () => choose("left", shown.right);

// The wipe

function moveWipe(percent) {
  const value = Math.min(100, Math.max(0, percent));
  picture.style.setProperty("--wipe", `${value}%`);
  handle.setAttribute("aria-valuenow", Math.round(value));
  handle.setAttribute("aria-valuetext", `${Math.round(value)} %`);
}

function drag(event) {
  const box = picture.getBoundingClientRect();
  moveWipe((100 * (event.clientX - box.left)) / box.width);
}

picture.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  picture.setPointerCapture(event.pointerId);
  if (event.pointerType !== "touch") drag(event); // a finger may be about to scroll
  handle.focus({ preventScroll: true });
  event.preventDefault();
});
for (const kind of ["pointermove", "pointerup"]) { // scrolling ends in pointercancel instead
  picture.addEventListener(kind, (event) => picture.hasPointerCapture(event.pointerId) && drag(event));
}
handle.addEventListener("keydown", (event) => {
  const now = Number(handle.getAttribute("aria-valuenow"));
  const next = {
    ArrowLeft: now - 2, ArrowRight: now + 2, ArrowDown: now - 2, ArrowUp: now + 2, PageDown: now - 10, PageUp: now + 10, Home: 0, End: 100,
  }[event.key];
  if (next === undefined) return;
  moveWipe(next);
  event.preventDefault();
});

// The table

const sorting = { column: null, down: false };

function compareRows(a, b) {
  if (sorting.column === ITSELF) return a.name.localeCompare(b.name, "en", { numeric: true }) * (sorting.down ? -1 : 1);
  const [x, y] = [a.scores[sorting.column], b.scores[sorting.column]];
  if (x === null || y === null) return (x === null) - (y === null); // what is missing comes last
  return (x < y ? -1 : x > y) * (sorting.down ? -1 : 1); // not x - y, as both may be infinite
}

function sortBy(column) {
  sorting.down = sorting.column === column ? !sorting.down : column !== ITSELF && columns[column].more;
  sorting.column = column;
  showRows();
}

function heading(column) {
  const cell = make("th", "", { scope: "col" });
  const { label, meaning } = column === ITSELF ? { label: "Style", meaning: "" } : columns[column];
  const button = make("button", label, { type: "button", title: meaning });
  button.onclick = () => sortBy(column);
  cell.append(button);
  return cell;
}

function row(style) {
  const line = make("tr"), name = make("th", "", { scope: "row" });
  const button = make("button", style.name, { type: "button", title: style.name, dir: "auto" });
  button.onclick = () => showStyle(styles.indexOf(style));
  name.append(button);
  line.append(name, ...style.scores.map((score, column) => {
    const cell = make("td", score === best(column, styles.indexOf(style)) && score !== null ? "" : written(score));
    if (!cell.textContent) cell.append(make("b", written(score), { title: "best in this column" }));
    return cell;
  }));
  return line;
}

function showStyle(style) {
  const first = photos.findIndex((photo) => photo.versions.some((one) => one.style === style));
  if (first < 0) return;
  if (!version(style)) shown.photo = first;
  choose("right", style);
  picture.scrollIntoView({ block: "nearest" });
}

function showRows() {
  const rows = sorting.column === null ? styles : [...styles].sort(compareRows);
  document.querySelector("tbody").replaceChildren(...rows.map(row));
  [...document.querySelectorAll("thead th")].forEach((cell, place) => {
    if (place - 1 === sorting.column) cell.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
}

// Start

for (const named of [...styles, ...photos]) named.name = named.name.trim() || "(no name)";
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
document.title = report.title;
$("title").textContent = report.title;
$("summary").textContent = `${count(styles.length, "style")} on ${count(photos.length, "photo")}`;
if (photos.length) {
  $("comparison").hidden = false;
  $("photos").append(...photos.map(buttonOfPhoto));
  moveWipe(50);
  show();
}
if (styles.length) {
  $("scores").hidden = false;
  document.querySelector("thead tr").append(heading(ITSELF), ...columns.map((_, column) => heading(column)));
  showRows();
  const explained = columns.filter((column) => column.meaning);
  $("meanings").hidden = !explained.length;
  $("meanings").querySelector("dl").append(...explained.flatMap(({ label, meaning }) => [make("dt", label), make("dd", meaning)]));
}
