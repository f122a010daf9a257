// Elements of the page and of pictures. Texts are only ever set as text, never as markup.

const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const shape = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const text = (x, y, content, more = {}) => shape("text", { x: rounded(x), y: rounded(y), ...more }, content);
const line = (x1, y1, x2, y2, kind) =>
  shape("line", { x1: rounded(x1), y1: rounded(y1), x2: rounded(x2), y2: rounded(y2), class: kind });
const rounded = (value) => Math.round(10 * value) / 10;

/** A button that does something here. */
function button(label, act) {
  const node = element("button", { type: "button" }, label);
  node.addEventListener("click", act);
  return node;
}

/** A picture with what a screen reader says of it. */
function svg(width, height, name, parts) {
  const size = { width: Math.ceil(width), height: Math.ceil(height) };
  const viewBox = `0 0 ${size.width} ${size.height}`;
  return shape("svg", { ...size, viewBox, role: "img", "aria-label": name }, ...parts);
}
