/** A table of any length: only the rows in sight are in the document. Arrow keys move, Enter opens. */

import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { printing, said } from "../state";
import { counted } from "../text";

export interface Column<Row> {
  /** Title. */
  name: string;
  /** CSS width in the grid: `8rem`, `minmax(8rem, 2fr)`. */
  width: string;
  /** Numbers stand right. */
  number?: boolean;
  /** Left out on a narrow page. */
  wide?: boolean;
  show(row: Row): ComponentChildren;
  /** What to sort by; without it the column cannot be sorted by. Numbers are sorted downwards first. */
  by?(row: Row): number | string;
}

interface Props<Row> {
  /** What it is a table of, for screen readers. */
  label: string;
  /** One row: `function`. */
  noun: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey(row: Row): number;
  open(row: Row): void;
  /** The row that is looked at. */
  chosen?: number | null;
  /** Title of the column to sort by at first; else as the rows come. */
  sorted?: string;
}

const ROW = 34;
const TALL = 56;
/** Rows in sight at once. */
const SHOWN = 14;
const PRINTED = 200;

export function Table<Row>(props: Props<Row>): JSX.Element {
  const narrow = useNarrow();
  const columns = props.columns.filter((column) => !narrow || !column.wide);
  const [order, setOrder] = useState<{ name: string; down: boolean } | null>(
    props.sorted === undefined ? null : { name: props.sorted, down: true },
  );
  const rows = useMemo(() => sortedRows(props.rows, props.columns, order), [props.rows, props.columns, order]);
  const height = narrow ? TALL : ROW;
  const box = useRef<HTMLDivElement>(null);
  const items = useVirtual(box, rows.length, height);
  const [active, setActive] = useState(0);
  const current = Math.min(active, Math.max(rows.length - 1, 0));
  const grid = columns.map((column) => column.width).join(" ");

  const sort = (column: Column<Row>): void => {
    const first = rows[0];
    const numbers = first !== undefined && typeof column.by?.(first) === "number";
    const down = order?.name === column.name ? !order.down : numbers;
    setOrder({ name: column.name, down });
    said.value = `sorted by ${column.name}, ${down ? "the largest first" : "the smallest first"}`;
  };

  const move = (to: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setActive(next);
    items.virtualizer?.scrollToIndex(next);
    // The row may have to be made first.
    requestAnimationFrame(() => {
      box.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus({ preventScroll: true });
    });
  };

  const onKey = (event: KeyboardEvent, row: Row, index: number): void => {
    if (event.target !== event.currentTarget) return;
    const step: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + SHOWN - 1,
      PageUp: index - SHOWN + 1,
      Home: 0,
      End: rows.length - 1,
    };
    const to = step[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter" || event.key === " ") props.open(row);
    else return;
    event.preventDefault();
  };

  if (rows.length === 0) return <p class="empty">Nothing matches the filter.</p>;
  const shown: readonly (VirtualItem | { index: number; start: number })[] = printing.value
    ? rows.slice(0, PRINTED).map((_, index) => ({ index, start: index * height }))
    : items.shown;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <table> cannot be windowed
    <div role="table" aria-label={props.label} aria-rowcount={rows.length + 1} class="table">
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the buttons in it are what is focused */}
      <div role="row" aria-rowindex={1} class="head" style={{ gridTemplateColumns: grid }}>
        {columns.map((column) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          // biome-ignore lint/a11y/useFocusableInteractive: as above
          <div
            key={column.name}
            role="columnheader"
            class={column.number ? "number" : ""}
            aria-sort={order?.name === column.name ? (order.down ? "descending" : "ascending") : "none"}
          >
            {column.by === undefined ? (
              column.name
            ) : (
              <button type="button" class="sort" onClick={() => sort(column)}>
                {column.name}
                <span aria-hidden="true">{order?.name === column.name ? (order.down ? " ▾" : " ▴") : ""}</span>
              </button>
            )}
          </div>
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div
        role="rowgroup"
        class="body"
        ref={box}
        style={{ height: printing.value ? "auto" : `${Math.min(rows.length, SHOWN) * height + 1}px` }}
      >
        <div class="rows" style={{ height: printing.value ? "auto" : `${rows.length * height}px` }}>
          {shown.map(({ index, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const key = props.rowKey(row);
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={props.chosen === key}
                class="row"
                tabIndex={index === current ? 0 : -1}
                data-index={index}
                data-key={key}
                style={{
                  gridTemplateColumns: grid,
                  height: `${height}px`,
                  transform: printing.value ? "none" : `translateY(${start}px)`,
                }}
                onClick={() => {
                  setActive(index);
                  props.open(row);
                }}
                onKeyDown={(event) => onKey(event, row, index)}
              >
                {columns.map((column) => (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  <div key={column.name} role="cell" class={column.number ? "number" : ""}>
                    {column.show(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      <p class="count">
        {counted(rows.length, props.noun)}
        {printing.value && rows.length > PRINTED ? `, of which ${PRINTED} are printed` : ""}
      </p>
    </div>
  );
}

function sortedRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: { name: string; down: boolean } | null,
): readonly Row[] {
  const by = columns.find((column) => column.name === order?.name)?.by;
  if (order === null || by === undefined) return rows;
  const keyed = rows.map((row) => [by(row), row] as const);
  keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (order.down ? -1 : 1));
  return keyed.map(([, row]) => row);
}

/** The rows in sight; those that are there before the box has been measured, too. */
function useVirtual(
  box: { current: HTMLDivElement | null },
  count: number,
  height: number,
): { shown: readonly VirtualItem[]; virtualizer: Virtualizer<HTMLDivElement, HTMLElement> | null } {
  const [, again] = useReducer<number, void>((n) => n + 1, 0);
  const kept = useRef<Virtualizer<HTMLDivElement, HTMLElement> | null>(null);
  const options = {
    count,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 8,
    initialRect: { width: 800, height: SHOWN * height },
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => again(),
  };
  if (kept.current === null) kept.current = new Virtualizer<HTMLDivElement, HTMLElement>(options);
  const virtualizer = kept.current;
  virtualizer.setOptions(options);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useEffect(() => {
    virtualizer._willUpdate();
  });
  const last = useRef(height);
  if (last.current !== height) {
    last.current = height;
    virtualizer.measure();
  }
  return { shown: virtualizer.getVirtualItems(), virtualizer };
}

/** Whether the page is as narrow as a phone's. */
export function useNarrow(): boolean {
  const query = useMemo(() => matchMedia("(max-width: 640px)"), []);
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const follow = (): void => setNarrow(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [query]);
  return narrow;
}
