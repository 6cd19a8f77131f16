import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

// Each file right below src is what a page loads; the folders hold what these are made of.
const loaded = readdirSync("src").filter((name) => name.endsWith(".ts"));

export default defineConfig({
  base: "./",
  build: {
    outDir: "../wgig/pages/static/built",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: loaded.map((name) => `src/${name}`),
      output: { entryFileNames: "[name]-[hash].js", chunkFileNames: "[name]-[hash].js" },
    },
  },
});
