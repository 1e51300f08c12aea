import { defineConfig } from "vitest/config";
import { licenses } from "./licenses";
import { sourcesDigest } from "./sources";

const BUNDLE = "../src/jitscope/render/html/bundle";

// One script and one style sheet, under names that do not change: the Python side puts them into the page.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  plugins: [licenses(), sourcesDigest(import.meta.dirname, BUNDLE)],
  // Tests read the Python side for what both must know.
  server: { fs: { allow: [".."] } },
  build: {
    outDir: BUNDLE,
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    sourcemap: false,
    lib: {
      entry: "src/main.tsx",
      formats: ["iife"],
      name: "jitscopePage",
      fileName: () => "page.js",
      cssFileName: "page",
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], css: { include: [/charts\.css/] } },
});
