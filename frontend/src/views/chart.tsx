/** A place for one of the charts: drawn when it comes into sight, kept in step with filter, choice and theme. */

import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CHARTS } from "../charts";
import type { Chart, RenderChart } from "../charts/contract";
import type { PageData } from "../data";
import { filter, printing, select, selection, theme } from "../state";

export function ChartPlace(props: { data: PageData; name: keyof typeof CHARTS; subject?: number }): JSX.Element {
  const render: RenderChart = CHARTS[props.name];
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);

  useEffect(() => {
    const container = place.current;
    if (container === null) return;
    const draw = (): void => {
      if (chart.current !== null) return;
      const subject = props.subject === undefined ? {} : { subject: props.subject };
      chart.current = render(container, props.data, {
        select,
        theme: theme.peek(),
        filter: filter.peek(),
        ...subject,
      });
      chart.current.update(filter.peek(), theme.peek(), selection.peek());
    };
    const sight = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          sight.disconnect();
          draw();
        }
      },
      { rootMargin: "300px" },
    );
    sight.observe(container);
    const printed = printing.subscribe((now) => now && draw());
    return () => {
      sight.disconnect();
      printed();
      chart.current?.destroy();
      chart.current = null;
      container.replaceChildren();
    };
  }, [props.data, render, props.subject]);

  useSignalEffect(() => {
    const [shown, colours, chosen] = [filter.value, theme.value, selection.value];
    chart.current?.update(shown, colours, chosen);
  });

  return <div class="chart-place" data-chart={props.name} ref={place} />;
}
