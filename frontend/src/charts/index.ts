/** All charts by name. `history` needs a function as its subject, `buckets` a finding. */

import type { RenderChart } from "./contract";
import { render as timeline } from "./timeline";

export const CHARTS: Readonly<Record<string, RenderChart>> = { timeline };
