import { readdirSync } from "node:fs";
import { defineConfig } from "vite";
import { adaptRapidoc } from "./rapidoc.ts";

// Each file directly in src is a script that pages load; the folders contain its modules.
const entryFiles = readdirSync("src").filter((name) => name.endsWith(".ts"));

export default defineConfig({
  base: "./",
  plugins: [adaptRapidoc()],
  build: {
    outDir: "../wgig/pages/static/built",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 800, // kilobytes: the reference of the API is one file, which only its page loads
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: entryFiles.map((name) => `src/${name}`),
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        // In one file, as the headers of a second one would be larger than its content.
        codeSplitting: { groups: [{ name: "page", test: /page\/(dom|messages)\.ts$/ }] },
      },
    },
  },
});
