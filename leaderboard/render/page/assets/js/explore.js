// Single values of a picture, by pointer or with the arrow keys: a line below it says what is there.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The nearest mark in a direction: near ahead, and little to the side. */
function neighbour(marks, origin, [dx, dy]) {
  let best = null, least = Infinity;
  for (const mark of marks) {
    const ahead = (mark.x - origin.x) * dx + (mark.y - origin.y) * dy;
    const aside = Math.abs((mark.x - origin.x) * dy) + Math.abs((mark.y - origin.y) * dx);
    const distance = ahead + 4 * aside;
    if (ahead > 0.5 && distance < least) [best, least] = [mark, distance];
  }
  return best;
}

/**
 * @param marks where values are: x, y, `text` as said, and `row` where a mark leads to a row.
 * @param reach how far a mark can be felt, in pixels across and down.
 */
function explorable(picture, readout, marks, [across, down] = [14, 14]) {
  const cursor = shape("circle", { class: "cursor", r: 6, visibility: "hidden" });
  let current = null;
  picture.append(cursor);
  picture.setAttribute("tabindex", "0");
  const point = (mark) => {
    current = mark;
    cursor.setAttribute("visibility", mark ? "visible" : "hidden");
    if (!mark) return;
    fill(cursor, { cx: rounded(mark.x), cy: rounded(mark.y) }, []);
    readout.textContent = mark.text();
  };
  const under = (event) => {
    const box = picture.getBoundingClientRect(), ratio = picture.viewBox.baseVal.width / box.width;
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    const near = marks.filter((mark) => Math.abs(mark.x - x) <= across && Math.abs(mark.y - y) <= down);
    return near.sort((p, q) => Math.hypot(p.x - x, p.y - y) - Math.hypot(q.x - x, q.y - y))[0] ?? null;
  };
  const choose = () => { if (current?.row) change({ row: current.row.key }); };
  picture.addEventListener("pointermove", (event) => {
    const mark = under(event);
    if (mark && mark !== current) point(mark);
    picture.classList.toggle("leads", Boolean(mark?.row));
  });
  picture.addEventListener("click", (event) => {
    point(under(event));
    choose();
  });
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && current?.row) {
      event.preventDefault();  // or the row that gets the focus would be closed by the same key
      choose();
    }
    if (!Object.hasOwn(STEPS, event.key) || !marks.length) return;
    event.preventDefault();
    point(current ? neighbour(marks, current, STEPS[event.key]) ?? current : marks[0]);
  });
  picture.addEventListener("blur", () => point(null));
}
