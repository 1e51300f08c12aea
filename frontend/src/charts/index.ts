/** All charts by name. `history` needs a function as its subject, `buckets` a finding. */

import type { RenderChart } from "./contract";
import { render as eager } from "./eager";
import { render as heat } from "./heat";
import { render as history } from "./history";
import { render as phases } from "./phases";
import { render as timeline } from "./timeline";

export const CHARTS: Readonly<Record<string, RenderChart>> = { timeline, history, phases, heat, eager };
