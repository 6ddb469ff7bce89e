// Tables: sorted by a click, filtered, written as CSV.

const shownRows = 25;

// csv is columns as RFC 4180 has them.
function csv(columns, rows) {
  const field = v => { const s = v === null || v === undefined ? "" : String(v); return /[",\r\n]/.test(s) ? '"' + s.replace(/"/g, '""') + '"' : s; };
  const lines = [columns.map(c => field(c.name)).join(",")];
  for (const i of rows) lines.push(columns.map(c => field(c.values[i])).join(","));
  return lines.join("\n") + "\n";
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const a = el("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function drawTable(part) {
  const count = part.columns[0].values.length;
  const numeric = part.columns.map(c => c.values.some(v => typeof v === "number"));
  let order = [...Array(count).keys()], by = -1, up = true, all = count <= shownRows + 5, wanted = "";
  const many = count > shownRows + 5;
  const name = part.file ? part.file.replace(/\.[a-z]+$/, "") : part.title || "table";
  const filter = many ? el("input", { type: "search", placeholder: "filter", "aria-label": "show rows with this text", size: 14 }) : null;
  const figure = frame(part, filter, el("button", { type: "button", class: "export", onclick: () => download(name + ".csv", csv(part.columns, rows())) }, "export CSV"));
  figure.classList.add("long");
  const body = el("tbody"), note = el("p", { class: "note" });
  const more = el("button", { type: "button", onclick: () => { all = !all; fill(); } });
  const heads = part.columns.map((c, i) => {
    const th = el("th", { scope: "col", class: numeric[i] ? "number" : null, title: (c.text || "") + (c.unit ? " (" + c.unit + ")" : "") },
      el("button", { type: "button", onclick: () => sort(i) }, c.name));
    return th;
  });
  const wide = part.columns.map((c, i) => !numeric[i] && c.values.some(v => v !== null && String(v).length > 48));
  const rows = () => {
    if (!wanted) return order;
    return order.filter(i => part.columns.some(c => c.values[i] !== null && String(c.values[i]).toLowerCase().includes(wanted)));
  };
  const text = (c, v) => {
    if (v === null || v === undefined || v === "") return "";
    if (typeof v !== "number") return String(v);
    return c.unit ? quantity(v, c.unit) : Number.isInteger(v) && Math.abs(v) < 1e15 ? v.toLocaleString("en-US") : digits(v);
  };
  const fill = () => {
    const found = rows(), shown = all ? found : found.slice(0, shownRows);
    body.replaceChildren(...shown.map(i => el("tr", null, part.columns.map((c, k) => {
      const v = c.values[i];
      return el("td", { class: numeric[k] ? "number" : wide[k] ? "wide" : v === "true" || v === "false" ? v : null, title: typeof v === "number" ? String(v) : null }, text(c, v));
    }))));
    note.replaceChildren();
    if (many) {
      note.append(`${shown.length.toLocaleString("en-US")} of ${found.length.toLocaleString("en-US")} rows `);
      if (found.length > shownRows) { more.textContent = all ? "show fewer" : "show all"; note.append(more); }
    }
  };
  const sort = i => {
    up = by === i ? !up : !numeric[i]; // numbers begin with the greatest
    by = i;
    const v = part.columns[i].values, sign = up ? 1 : -1;
    const none = x => x === null || x === undefined || x === "";
    order = [...Array(count).keys()].sort((a, b) => {
      if (none(v[a]) || none(v[b])) return none(v[a]) - none(v[b]) || a - b;
      const d = numeric[i] ? v[a] - v[b] : String(v[a]).localeCompare(String(v[b]), "en", { numeric: true });
      return sign * d || a - b;
    });
    heads.forEach((h, k) => {
      if (k === i) h.setAttribute("aria-sort", up ? "ascending" : "descending"); else h.removeAttribute("aria-sort");
      h.firstChild.textContent = part.columns[k].name + (k === i ? up ? " ▲" : " ▼" : "");
    });
    fill();
  };
  if (filter) filter.addEventListener("input", () => { wanted = filter.value.trim().toLowerCase(); fill(); });
  const first = part.columns.findIndex(c => c.name === part.sort);
  if (first >= 0) sort(first); else fill();
  const scroll = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": (part.title || part.file) + ", table" }, el("table", { class: "rows" }, el("thead", null, el("tr", null, heads)), body));
  figure.append(scroll, note);
  return figure;
}
