// Uses openapi-fetch with the types that openapi-typescript generates as `schema.d.ts`; prints what the test
// checks as JSON. tsc checks the types of this script.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

type Schemas = components["schemas"];
const [url, paper] = process.argv.slice(2) as [string, string];
const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: url });

const papers = await client.GET("/papers", { params: { query: { issue: ["spam"], size: 10 } } });
if (!papers.data || !("items" in papers.data)) throw new Error("no page of papers");
const paperIds: string[] = papers.data.items.map((item) => item.id);

const hits = await client.GET("/search", { params: { query: { q: "spam" } } });
if (!hits.data || !("items" in hits.data)) throw new Error("no search results");
const labels: string[] = hits.data.items.map((hit) => hit.label);

const checked = await client.POST("/validate", {
  body: paper,
  bodySerializer: (body) => body as string,
  headers: { "Content-Type": "text/markdown" },
});
const report: Schemas["CheckReport"] | undefined = checked.data;
if (!report) throw new Error("no report");
const codes: string[] = report.files.flatMap((file) =>
  file.papers.flatMap((item) => item.findings.map((finding) => finding.code)),
);

const failed = await client.GET("/papers", { params: { query: { page: 999 } } });
const problem: Schemas["ProblemDocument"] | undefined = failed.error;
if (!problem) throw new Error("no error");

console.log(
  JSON.stringify({
    papers: paperIds,
    total: papers.data.total,
    hits: labels,
    conforms: report.conforms,
    codes,
    problem: [problem.status, problem.type, problem.detail],
  }),
);
