// Elements. Text is always a text node: names come from anywhere.

function el(tag, attributes, ...children) {
  const svg = ["svg", "g", "path", "line", "rect", "circle", "text", "title"].includes(tag);
  const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (name === "style") e.style.cssText = value;
    else e.setAttribute(name, value);
  }
  e.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined));
  return e;
}

// prose is a text with quantities in it.
function prose(parts) {
  return (parts || []).map(p => typeof p === "string" ? p : quantity(p.v, p.u)).join("");
}

// breakable is a text that may be broken behind the dots and strokes of a metric's name.
function breakable(text) {
  return text.split(/(?<=[._](?=\w))/).flatMap((part, i) => i ? [el("wbr"), part] : [part]);
}

// frame is a figure with its caption; what it shows is appended.
function frame(part, ...tools) {
  const caption = el("figcaption", null, part.title ? el("h3", null, part.title[0].toUpperCase() + part.title.slice(1)) : null,
    part.text ? el("p", null, prose(part.text)) : null);
  return el("figure", null, el("div", { class: "head" }, caption, tools.length ? el("div", { class: "tools" }, tools) : null));
}

const tip = {
  node: null,
  show(x, y, title, ...more) {
    if (!this.node) document.body.append(this.node = el("div", { class: "tip", role: "status" }));
    this.node.replaceChildren(el("b", null, title), ...more.filter(Boolean).map(m => el("div", null, m)));
    this.node.hidden = false;
    const box = this.node.getBoundingClientRect();
    this.node.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 8)) + "px";
    this.node.style.top = (y + 16 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 16) + "px";
  },
  hide() { if (this.node) this.node.hidden = true; },
};

// onWidth draws now and whenever the width of a node has changed, and the colours.
function onWidth(node, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const w = Math.floor(node.clientWidth);
    if (w > 0 && w !== width) { width = w; draw(w); }
  }).observe(node);
  theme.watch(() => { if (width) draw(width); });
}

// clear makes a canvas of a size ready to draw on.
function clear(canvas, width, height) {
  const scale = Math.max(1, devicePixelRatio || 1);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const c = canvas.getContext("2d");
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  c.font = "12px system-ui, 'Liberation Sans', sans-serif";
  return c;
}

// fit shortens a text to a width, in its middle, where names differ least.
function fit(c, text, width) {
  if (c.measureText(text).width <= width) return text;
  let keep = text.length;
  while (keep > 4) {
    keep--;
    const t = text.slice(0, Math.ceil(keep / 2)) + "…" + text.slice(text.length - Math.floor(keep / 2));
    if (c.measureText(t).width <= width) return t;
  }
  return text.slice(0, 3) + "…";
}
