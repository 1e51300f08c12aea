/** The timeline as a table, for those who can't see it; made when it is opened. */

import { seconds as duration, count as number } from "../text";
import { html } from "./dom";
import type { Lane } from "./lanes";

/** Most lanes in the table; the page's own tables have them all. */
const MOST = 200;

export function timelineTable(details: HTMLDetailsElement, lanes: readonly Lane[]): void {
  details.replaceChildren(html("summary", {}, "Timeline as a table"));
  const fill = (): void => {
    if (details.open && details.childElementCount === 1) details.append(table(lanes));
  };
  details.ontoggle = fill;
  fill();
}

function table(lanes: readonly Lane[]): HTMLElement {
  const made = html("table");
  const head = html("tr");
  for (const title of ["lane", "state", "compilations", "seconds", "first", "last ended", "hits", "eager fallbacks"]) {
    head.append(html("th", { scope: "col" }, title));
  }
  const top = html("thead");
  top.append(head);
  const body = html("tbody");
  for (const lane of lanes.slice(0, MOST)) {
    const row = html("tr");
    row.append(html("th", { scope: "row" }, [lane.title, lane.detail].filter(Boolean).join(", ")));
    const hits = lane.stretches.reduce((sum, one) => sum + one.hits, 0);
    const fallbacks = lane.stretches.reduce((sum, one) => sum + one.eager_fallbacks, 0);
    const cells = [
      lane.state ?? "",
      number(lane.compilations),
      duration(lane.seconds),
      lane.blocks[0] === undefined ? "" : duration(lane.blocks[0].start),
      lane.blocks.length === 0 ? "" : duration(lane.reach[lane.blocks.length - 1] ?? null),
      number(hits),
      number(fallbacks),
    ];
    row.append(...cells.map((text) => html("td", {}, text)));
    body.append(row);
  }
  if (lanes.length > MOST) {
    made.append(html("caption", {}, `The ${MOST} costliest of ${number(lanes.length)} lanes.`));
  }
  made.append(top, body);
  const wide = html("div", { class: "plot-wide" });
  wide.append(made);
  return wide;
}
