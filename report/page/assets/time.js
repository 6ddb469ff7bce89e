// The part of an axis that charts show. Those over the time of the run share one.

class Domain {
  constructor(from, to, log) {
    this.full = [from, to];
    this.log = log;
    this.views = [];
    [this.from, this.to] = this.full;
  }
  // Positions are linear in these.
  in(v) { return this.log ? Math.log(v) : v; }
  out(v) { return this.log ? Math.exp(v) : v; }
  get zoomed() { return this.from > this.full[0] || this.to < this.full[1]; }
  set(from, to) {
    let a = this.in(from), b = this.in(to);
    const lo = this.in(this.full[0]), hi = this.in(this.full[1]), least = (hi - lo) * 1e-6;
    if (b - a < least) { const mid = (a + b) / 2; a = mid - least / 2; b = mid + least / 2; }
    if (a < lo) { b = Math.min(hi, b + lo - a); a = lo; }
    if (b > hi) { a = Math.max(lo, a - (b - hi)); b = hi; }
    this.from = a === lo ? this.full[0] : this.out(a);
    this.to = b === hi ? this.full[1] : this.out(b);
    for (const v of this.views) v();
  }
  reset() { this.set(...this.full); }
  zoom(factor, at) {
    const a = this.in(this.from), b = this.in(this.to), mid = at === undefined ? (a + b) / 2 : this.in(at);
    this.set(this.out(mid - (mid - a) * factor), this.out(mid + (b - mid) * factor));
  }
  pan(share) {
    const a = this.in(this.from), b = this.in(this.to), by = (b - a) * share;
    this.set(this.out(a + by), this.out(b + by));
  }
}

let runTime = null; // set before charts are made, by what they reach to

// Charts over the time of the run stand below each other to the pixel: they have the
// same room for names at their left, as much as the longest needs.
const measure = document.createElement("canvas").getContext("2d");
let runGutter = 74;

function gutterOf(rows) {
  measure.font = "12px system-ui, 'Liberation Sans', sans-serif";
  return rows.reduce((most, r) => Math.max(most, measure.measureText(r).width), 0) + 10;
}

function leftOf(part, own, width) {
  return Math.ceil(Math.min(part.x.time ? runGutter : own, Math.max(74, width * 0.3), 270));
}

function domainOf(part, from, to) {
  if (part.x.time && runTime) return runTime;
  return new Domain(from, to, part.x.log > 0);
}

// zoomTools are buttons that do what mouse and keys do.
function zoomTools(domain) {
  const button = (text, name, act) => el("button", { type: "button", "aria-label": name, title: name, onclick: act }, text);
  const all = button("show all", "show all of the axis", () => domain.reset());
  const update = () => { all.disabled = !domain.zoomed; all.style.opacity = domain.zoomed ? 1 : .4; };
  domain.views.push(update);
  update();
  return [button("+", "zoom in", () => domain.zoom(0.5)), button("−", "zoom out", () => domain.zoom(2)), all];
}

// keyboard has arrows pan, + and - zoom, 0 and Escape show all.
function keyboard(node, domain, what) {
  node.tabIndex = 0;
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", what + ". Arrow keys pan, plus and minus zoom, 0 shows all.");
  node.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const act = {
      ArrowLeft: () => domain.pan(-0.2), ArrowRight: () => domain.pan(0.2), "+": () => domain.zoom(0.5), "=": () => domain.zoom(0.5),
      "-": () => domain.zoom(2), 0: () => domain.reset(), Escape: () => domain.reset(), Home: () => domain.pan(-1e9), End: () => domain.pan(1e9),
    }[e.key];
    if (act) { act(); e.preventDefault(); }
  });
}
