/** The same question as a command: what asks it from a shell, Python or R. */

const ACCEPT = { table: "text/csv", graph: "text/turtle" };

export const LANGUAGES: Record<string, (endpoint: string, query: string, accept: string) => string> = {
  curl: (endpoint, query, accept) =>
    `curl ${shell(endpoint)} --header 'Accept: ${accept}' \\\n  --data-urlencode ${shell(`query=${query}`)}`,
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
      `query <- ${quoted(query)}`,
      `answer <- request(${quoted(endpoint)}) |>`,
      `  req_headers(Accept = "${accept}") |>`,
      "  req_body_form(query = query) |>",
      "  req_perform()",
      "cat(resp_body_string(answer))",
    ].join("\n"),
};

/** The command in one of the LANGUAGES. */
export function command(language: string, query: string, form: "table" | "graph"): string {
  return LANGUAGES[language]!(`${location.origin}/sparql`, query, ACCEPT[form]);
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

// R knows \u{…} in place of pairs of surrogates, and no escaped slash.
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}
