/** A SPARQL query as a shell command, or as Python or R code that sends it. */

// Media types by form of the result.
const ACCEPT = { table: "text/csv", graph: "text/turtle" };

/** Functions that write the command, by language. */
export const COMMAND_TEMPLATES: Record<string, (endpoint: string, query: string, accept: string) => string> = {
  curl: (endpoint, query, accept) =>
    `curl ${quoteForShell(endpoint)} --header 'Accept: ${accept}' \\\n  --data-urlencode ${quoteForShell(`query=${query}`)}`,
  Python: (endpoint, query, accept) =>
    [
      "from urllib.parse import urlencode",
      "from urllib.request import Request, urlopen",
      "",
      `query = ${JSON.stringify(query)}`,
      `request = Request(${JSON.stringify(endpoint)}, urlencode({"query": query}).encode(), {"Accept": "${accept}"})`,
      "with urlopen(request) as answer:",
      '    print(answer.read().decode("utf-8"))',
    ].join("\n"),
  R: (endpoint, query, accept) =>
    [
      "library(httr2)",
      "",
      `query <- ${quoteForR(query)}`,
      `answer <- request(${quoteForR(endpoint)}) |>`,
      `  req_headers(Accept = "${accept}") |>`,
      "  req_body_form(query = query) |>",
      "  req_perform()",
      "cat(resp_body_string(answer))",
    ].join("\n"),
};

/** The command in a language of COMMAND_TEMPLATES. */
export function formatCommand(language: string, query: string, form: "table" | "graph"): string {
  return COMMAND_TEMPLATES[language]!(`${location.origin}/sparql`, query, ACCEPT[form]);
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

// Not as JSON, because R does not accept all its escapes.
function quoteForR(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}
