import { defineConfig } from "vite";

// `npx vite build --config harness/vite.config.ts`, then open harness/dist/index.html through any web server.
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  build: { outDir: "dist", emptyOutDir: true, target: "es2022", modulePreload: false },
});
