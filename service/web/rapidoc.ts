/**
 * A Vite plugin that adapts RapiDoc, which shows the OpenAPI description, to these pages.
 *
 * The Content-Security-Policy forbids styles in the HTML of templates. Therefore the templates set them as properties,
 * which it allows, and static/api.css sets the colors. The other changes make RapiDoc usable with a keyboard and a
 * screen reader. A build fails if a text to change is not there, as in another version of RapiDoc.
 *
 * The description is given to RapiDoc without references (`src/api.ts`): its parser, three quarters of the code, takes
 * five seconds to resolve those of 157 operations. `overrides` in package.json puts a small package in place of swagger-client, which the package of the parser
 * contains in its file, but also names as a dependency, with 110 more packages.
 */

import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const SOURCES = fileURLToPath(new URL("node_modules/rapidoc/src/", import.meta.url));

/** Instead of a whole file. */
const FILES: Record<string, string> = {
  "utils/theme.js": 'export default () => "";',
  "styles/custom-styles.js": `import { css } from "lit";
    export default css\`
      *, *::before, *::after { box-sizing: border-box; }
      .main-content { overflow: visible; min-width: 0; }
      api-request, api-response { display: block; min-width: 0; overflow-x: auto; }
      .main-content-inner--view-mode { padding: 0; }
      .section-gap { padding: 1rem 0 0; }
      .sub-title { text-transform: none; }
      .endpoint-head .path, .endpoint-head .descr, .endpoint-body .summary .title {
        min-width: 0;
        word-break: normal;
        line-break: auto;
        overflow-wrap: anywhere;
      }
      :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      @media (max-width: 768px) {
        .view-mode-request, .view-mode .endpoint-body { padding: 0.5rem; }
      }
    \`;`,
};

/** Texts by file, each with its replacement. */
const REPLACEMENTS: Record<string, [string, string][]> = {
  "utils/spec-parser.js": [
    ["import OpenApiParser from '@apitools/openapi-parser';", "const OpenApiParser = { resolve: async ({ spec }) => ({ spec }) };"],
  ],
  "utils/schema-utils.js": [
    [
      "const arrayItemType = schema.items?.type;",
      "const arrayItemType = schema.items?.type ?? schema.items?.anyOf?.map(({ type }) => type).join(' or ');",
    ],
  ],
  "templates/main-body-template.js": [
    ["<main class='main-content", "<div class='main-content"],
    ["</main>", "</div>"],
  ],
  "templates/endpoint-template.js": [
    ["<span @click=\"${(e) => onExpandCollapseAll(e, 'expand-all')}\"", "<span role='button' tabindex='0' @click=\"${(e) => onExpandCollapseAll(e, 'expand-all')}\""],
    ["<span @click=\"${(e) => onExpandCollapseAll(e, 'collapse-all')}\"", "<span role='button' tabindex='0' @click=\"${(e) => onExpandCollapseAll(e, 'collapse-all')}\""],
    ["<summary @click", "<summary role='button' tabindex='0' aria-expanded='${path.expanded}' @click"],
    ["<div class='section-tag-header'", "<div class='section-tag-header' role='button' tabindex='0' aria-expanded='${tag.expanded}'"],
  ],
  "components/api-request.js": [
    ["@change = '${(e) => this.onMimeTypeChange(e)}'", "aria-label='media type of the body' @change = '${(e) => this.onMimeTypeChange(e)}'"],
    ["@change='${(e) => this.onSelectExample(e)}'", "aria-label='example' @change='${(e) => this.onSelectExample(e)}'"],
    ['id="input-request-param-${param.name}"', 'id="input-request-param-${param.name}" aria-label="${param.name}"'],
    ['id = "textarea-request-param-${param.name}"', 'id = "textarea-request-param-${param.name}" aria-label="${param.name}"'],
  ],
};

/** Adapts the files of RapiDoc, and finds the files that they import with `~/`. */
export function adaptRapidoc(): Plugin {
  return {
    name: "adapt-rapidoc",
    enforce: "pre",
    resolveId(source, importer, options) {
      return source.startsWith("~/") ? this.resolve(SOURCES + source.slice(2), importer, options) : null;
    },
    transform(code, id) {
      if (!id.startsWith(SOURCES)) return null;
      const name = id.slice(SOURCES.length);
      return FILES[name] ?? setStylesAsProperties(replaceTexts(code, name));
    },
  };
}

function replaceTexts(code: string, name: string): string {
  for (const [text, replacement] of REPLACEMENTS[name] ?? []) {
    if (!code.includes(text)) throw new Error(`rapidoc/src/${name} does not contain ${text}`);
    code = code.replaceAll(text, replacement);
  }
  return code;
}

const STYLE_ATTRIBUTE = /(?<=[\w"'\s}`])\sstyle\s*=\s*(["'])/g;

/** The templates with `.style="…"`, which sets a property, instead of `style="…"`, also within expressions. */
function setStylesAsProperties(code: string): string {
  let result = "";
  let position = 0;
  for (const match of code.matchAll(STYLE_ATTRIBUTE)) {
    if (match.index < position) continue; // in an expression within the previous value
    const quote = match[1]!;
    const start = match.index + match[0].length;
    const end = findEndOfValue(code, start, quote);
    const value = code.slice(start, end);
    const property = value.includes("${") ? quote + setStylesAsProperties(value) + quote : `\${${JSON.stringify(value)}}`;
    result += `${code.slice(position, match.index)} .style=${property}`;
    position = end + 1;
  }
  return result + code.slice(position);
}

function findEndOfValue(code: string, start: number, quote: string): number {
  let depth = 0; // of braces in expressions
  for (let index = start; index < code.length; index++) {
    const character = code[index];
    if (depth === 0 && character === quote) return index;
    if (character === "{" && (depth > 0 || code[index - 1] === "$")) depth++;
    else if (depth > 0 && character === "}") depth--;
  }
  throw new Error(`The value does not end: ${code.slice(start, start + 60)}`);
}
