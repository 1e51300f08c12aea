/** Parts of a whole as bars on a time axis, with their seconds: a table, so that it is read aloud as one. */

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Part } from "../data-first";
import { printing, said } from "../state";
import { count, counted, percent, seconds, short } from "../text";
import { partProperty } from "../theme";
import { bar, MOST, type WaterfallRow, waterfall } from "../waterfall";

interface Props {
  /** What it is of, for screen readers. */
  label: string;
  parts: readonly Part[];
  /** The whole. */
  seconds: number;
  /** What of it is in no part. */
  rest: number;
  restLabel: string;
}

export function Waterfall(props: Props): JSX.Element {
  const [all, setAll] = useState(false);
  const rows = useMemo(
    () => waterfall(props.parts, { seconds: props.seconds, rest: props.rest, restLabel: props.restLabel }, all),
    [props.parts, props.seconds, props.rest, props.restLabel, all],
  );
  const small = rows.reduce((sum, row) => sum + (row.kind === "small" ? row.count : 0), 0);
  const unknown = rows.some((row) => row.kind === "part" && !row.known);
  const change = (): void => {
    setAll(!all);
    said.value = all ? "small parts are told together" : "all parts are shown";
  };
  return (
    <div class="waterfall-place">
      <table class="waterfall">
        <caption class="hidden">{short(props.label, 120)}: parts, those inside of one below it</caption>
        <thead>
          <tr>
            <th scope="col">part</th>
            <th scope="col" class="number begins">
              begins
            </th>
            <th scope="col" class="number">
              total
            </th>
            <th scope="col" class="number">
              self
            </th>
            <th scope="col" class="number">
              share
            </th>
            <td class="field" aria-hidden="true">
              <span class="axis">
                <span>0</span>
                <span>{seconds(props.seconds)}</span>
              </span>
            </td>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST).map((row, n) => (
            <Row key={n} row={row} whole={props.seconds} />
          ))}
        </tbody>
      </table>
      {rows.length > MOST && (
        <p class="soft">… {counted(rows.length - MOST, "more part")}: jitscope first shows them</p>
      )}
      {unknown && <p class="soft">Striped: only how long it took is known, not when.</p>}
      {(small > 0 || all) && !printing.value && (
        <button type="button" class="more" aria-expanded={all} onClick={change}>
          {all ? "fewer parts" : counted(small, "smaller part")}
        </button>
      )}
    </div>
  );
}

/** Deeper parts are not moved further to the right. */
const DEEPEST = 8;

function Row({ row, whole }: { row: WaterfallRow; whole: number }): JSX.Element {
  const around = row.inside[row.inside.length - 1];
  const indent = `calc(${Math.min(row.depth, DEEPEST)} * var(--step))`;
  return (
    <tr class={row.kind === "part" ? "" : "soft"}>
      <th scope="row" style={{ paddingLeft: indent }}>
        {around !== undefined && <span class="hidden">inside of {short(around, 40)}: </span>}
        {row.kind === "small" ? (
          `${counted(row.count, "smaller part")}`
        ) : (
          <>
            {short(row.label, 60)}
            {row.count > 1 && <span class="soft"> {count(row.count)}×</span>}
            {row.program !== null && (
              <code class="soft" title={short(row.program, 400)}>
                {" "}
                {short(row.program, 40)}
              </code>
            )}
          </>
        )}
      </th>
      <td class="number begins">{row.at === null || !row.known ? "–" : seconds(row.at)}</td>
      <td class="number">{seconds(row.seconds)}</td>
      <td class="number">{row.own === null ? "" : seconds(row.own)}</td>
      <td class="number">{whole > 0 ? percent(row.seconds / whole) : ""}</td>
      <td class="field" aria-hidden="true">
        <BarOf row={row} whole={whole} />
      </td>
    </tr>
  );
}

function BarOf({ row, whole }: { row: WaterfallRow; whole: number }): JSX.Element | null {
  const place = bar(row, whole);
  if (place === null) return null;
  const own = place.width > 0 ? place.own / place.width : 1;
  const stretches = row.count > 1 ? `${counted(row.count, "stretch").replace(/s$/, "es")}, the first ` : "";
  const began = row.known ? `${stretches}began at ${seconds(row.at)}, ` : "";
  const self = row.own === null ? "" : `, ${seconds(row.own)} of it its own`;
  return (
    <span
      class={`piece ${row.known ? "" : "striped"}`}
      title={`${short(row.label, 60)}: ${began}${seconds(row.seconds)}${self}`}
      style={{
        left: `${place.left * 100}%`,
        width: `${place.width * 100}%`,
        "--own": `var(${partProperty(row.name)})`,
      }}
    >
      <span style={{ width: `${own * 100}%` }} />
    </span>
  );
}
