/** All charts by name. `history` needs a function as its subject, `buckets` a finding. */

import { render as buckets } from "./buckets";
import { render as calls } from "./calls";
import type { RenderChart } from "./contract";
import { render as eager } from "./eager";
import { render as heat } from "./heat";
import { render as history } from "./history";
import { render as phases } from "./phases";
import { render as recompilations } from "./recompilations";
import { render as timeline } from "./timeline";

export const CHARTS = { timeline, history, recompilations, calls, heat, phases, eager, buckets } satisfies Record<
  string,
  RenderChart
>;
