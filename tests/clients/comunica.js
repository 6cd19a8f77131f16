// Evaluates the query of each JSON line of standard input with a new engine, and writes a JSON line with the result.
// The command of Comunica does the same for one query, but loads its modules for 6 s first.
const readline = require("node:readline");
const { QueryEngine } = require("@comunica/query-sparql");
const { ProxyHandlerStatic } = require("@comunica/actor-http-proxy");

async function evaluate({ query, sources, mediaType, proxy }) {
  const context = proxy ? { sources, httpProxyHandler: new ProxyHandlerStatic(proxy) } : { sources };
  const engine = new QueryEngine();
  const { data } = await engine.resultToString(await engine.query(query, context), mediaType);
  let text = "";
  for await (const chunk of data) text += chunk;
  return { text };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const result = await evaluate(JSON.parse(line)).catch((error) => ({ error: String(error.stack) }));
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

main();
