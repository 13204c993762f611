// Without this script all of a report can be read; with it tables are sorted and texts copied.
"use strict";

const words = new Intl.Collator("en", { numeric: true });

function keyOf(cell) {
  return "number" in cell.dataset ? Number(cell.dataset.number) : (cell.dataset.text ?? cell.textContent.trim());
}

// Numbers, then words, then what is missing: these stay in this order in either direction.
function group(key) {
  return typeof key === "string" ? 1 : Number.isNaN(key) ? 2 : 0;
}

function compare(a, b, sign) {
  if (group(a) !== group(b) || group(a) === 2) return group(a) - group(b);
  if (typeof a === "string") return sign * words.compare(a, b);
  return a === b ? 0 : sign * (a < b ? -1 : 1); // a difference of infinities is no number
}

function sortBy(heading) {
  const falls = heading.getAttribute("aria-sort") === "ascending";
  for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
  const body = heading.closest("table").tBodies[0];
  const rows = Array.from(body.rows, (row) => [keyOf(row.cells[heading.cellIndex]), row]);
  rows.sort((a, b) => compare(a[0], b[0], falls ? -1 : 1)); // equals keep their order
  body.append(...rows.map(([, row]) => row));
}

for (const heading of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  button.addEventListener("click", () => sortBy(heading));
  heading.append(button);
}

// A page that was opened from a folder may have no clipboard: then the text is selected and copied the old way.
async function copy(button) {
  const area = button.previousElementSibling.querySelector("textarea");
  area.select();
  let copied = true;
  try {
    await navigator.clipboard.writeText(area.value);
  } catch {
    copied = document.execCommand("copy");
  }
  button.textContent = copied ? "Copied" : "Selected: press Ctrl+C";
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

// A picture is in the page once: its link takes it from there.
for (const link of document.querySelectorAll("a.svg")) {
  link.href = link.closest("figure").querySelector("img").src;
  link.hidden = false;
}

// In a frame without an address of its own, as MLflow shows it, a link within the page leads nowhere by itself.
if (window.self !== window.top) {
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById(decodeURIComponent(link.hash.slice(1)))?.scrollIntoView();
    });
  }
}
