/** All charts with made-up data: `?scene=five&chart=timeline&theme=dark`. Not part of what is shipped. */

import "../src/styles.css";
import "./harness.css";
import { CHARTS } from "../src/charts";
import type { Selection } from "../src/charts/contract";
import { ALL } from "../src/filter";
import { currentTheme } from "../src/theme";
import { SCENES } from "./synthetic";

const asked = new URLSearchParams(location.search);
const theme = asked.get("theme");
if (theme !== null) document.documentElement.dataset.theme = theme;
const data = (SCENES[asked.get("scene") ?? "five"] ?? SCENES.five)?.();
const main = document.getElementById("charts");
const chosen: Selection[] = [];
Object.assign(window, { chosen });
const wanted = asked.get("chart")?.split(",");
if (data !== undefined && main !== null) {
  for (const [name, render] of Object.entries(CHARTS)) {
    if (wanted !== undefined && !wanted.includes(name)) continue;
    const section = document.createElement("section");
    const title = document.createElement("h2");
    title.textContent = name;
    const place = document.createElement("div");
    section.append(title, place);
    main.append(section);
    const subjects = name === "history" ? data.report.functions.slice(0, 4).map((one) => one.id) : [0];
    for (const subject of subjects) {
      const own = document.createElement("div");
      place.append(own);
      const before = performance.now();
      const chart = render(own, data, {
        select: (one) => {
          if (one !== null) chosen.push(one);
          chart.update(ALL, currentTheme(), one);
        },
        theme: currentTheme(),
        filter: ALL,
        subject,
      });
      own.dataset.made = (performance.now() - before).toFixed(0);
    }
  }
  document.body.dataset.ready = "yes";
}
