/** Programs that were compiled by themselves: eager operations, functions that nobody watched. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { EagerPrograms } from "../data-first";
import { printing } from "../state";
import { count, counted, place, seconds, short } from "../text";
import { Text } from "./common";

const LISTED = 5;
const MOST = 300;
const SITES = 3;

export function Programs({ of, title }: { of: readonly EagerPrograms[]; title: string }): JSX.Element | null {
  const [all, setAll] = useState(false);
  if (of.length === 0) return null;
  const programs = of.reduce((sum, one) => sum + one.count, 0);
  const spent = of.reduce((sum, one) => sum + one.seconds, 0);
  const shown = of.slice(0, all ? MOST : LISTED);
  return (
    <div class="programs">
      <h4>
        {title}: {counted(programs, "program")}, {seconds(spent)}
      </h4>
      <ul class="plain">
        {shown.map((one, n) => (
          <li key={n}>
            <Text of={one.name} limit={60} class="code" /> {count(one.count)}×{" "}
            <b class="number">{seconds(one.seconds)}</b>
            {!one.library && " (a function that is not watched)"}{" "}
            <span class="soft">
              {one.sites.slice(0, SITES).map((site, at) => (
                <span key={at} title={`${short(site.file, 600)}:${site.line} in ${short(site.function, 200)}`}>
                  {at > 0 && ", "}
                  {place(site.file, site.line, 40)}
                </span>
              ))}
              {one.sites.length > SITES && `, ${one.sites.length - SITES} more places`}
            </span>
          </li>
        ))}
      </ul>
      {of.length > shown.length &&
        (all || printing.value ? (
          <p class="soft">… {counted(of.length - shown.length, "more name")}</p>
        ) : (
          <button type="button" class="more" onClick={() => setAll(true)}>
            {counted(of.length - shown.length, "more name")}
          </button>
        ))}
    </div>
  );
}
