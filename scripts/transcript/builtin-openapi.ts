// The schemas of Kubernetes' own kinds, for the embedded server: of what the real one publishes, what both serve.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SERVED } from './documents.ts';
import type { Value } from './format.ts';

type Fields = { [key: string]: Value };
type Ask = (path: string) => Promise<{ status: number; body: Value }>;

const OUTPUT = join(import.meta.dirname, '../../operator/openapi/builtin.generated.json.gz');
/** The embedded server takes these in the body of a PATCH. */
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];

const fields = (value: Value | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

export async function writeBuiltinOpenApi(ask: Ask): Promise<void> {
  const documents: Fields = {};
  for (const [group, plurals] of Object.entries(SERVED)) {
    if (group === 'trading.flashpod.dev') continue;
    const name = group === '' ? 'api/v1' : `apis/${group}/v1`;
    const { body } = await ask(`/openapi/v3/${name}`);
    documents[name] = prune(fields(body), plurals);
  }
  mkdirSync(join(OUTPUT, '..'), { recursive: true });
  writeFileSync(OUTPUT, gzipSync(JSON.stringify(documents), { level: 9 }));
}

function prune(document: Fields, plurals: readonly string[]): Value {
  const paths = Object.fromEntries(
    Object.entries(fields(document['paths'])).flatMap(([path, item]) =>
      isServed(path, plurals) ? [[path, prunePath(fields(item))]] : [],
    ),
  );
  const schemas = fields(fields(document['components'])['schemas']);
  const reachable = new Set<string>();
  visit(paths, schemas, reachable);
  // Also what no path names: the applied form of a kind is its own schema.
  for (const [name, schema] of Object.entries(schemas)) {
    const kinds = fields(schema)['x-kubernetes-group-version-kind'];
    if (
      Array.isArray(kinds) &&
      kinds.length === 1 &&
      plurals.includes(`${String(fields(kinds[0])['kind']).toLowerCase()}s`)
    ) {
      reachable.add(name);
      visit(schema, schemas, reachable);
    }
  }
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => reachable.has(name)));
  return {
    openapi: document['openapi'] ?? '3.0.0',
    info: document['info'] ?? {},
    paths,
    components: { schemas: kept },
  };
}

function isServed(path: string, plurals: readonly string[]): boolean {
  const parts = path.replace(/^\/(api\/v1|apis\/[^/]+\/v1)\//, '').split('/');
  if (parts[0] === 'watch' || !path.replace(/^\/apis?\//, '').includes('/')) return false;
  const rest =
    parts[0] === 'namespaces' && parts.length > 2 && parts[2] !== 'status' ? parts.slice(2) : parts;
  const [plural = '', , subresource] = rest;
  return (
    plurals.includes(plural) &&
    (subresource === undefined || ['status', 'log', 'binding'].includes(subresource))
  );
}

/** Of the media types only those that the embedded server speaks. */
function prunePath(item: Fields): Value {
  return Object.fromEntries(
    Object.entries(item).map(([method, operation]) => [
      method,
      method === 'parameters' ? operation : pruneOperation(fields(operation), method),
    ]),
  );
}

function pruneOperation(operation: Fields, method: string): Value {
  const body = fields(operation['requestBody']);
  const content = fields(body['content']);
  const types = method === 'patch' ? PATCH_TYPES : ['application/json', '*/*'];
  const accepted = Object.fromEntries(Object.entries(content).filter(([type]) => types.includes(type)));
  const responses = Object.entries(fields(operation['responses'])).map(([status, response]) => {
    const given = fields(fields(response)['content']);
    const json = Object.fromEntries(Object.entries(given).filter(([type]) => type === 'application/json'));
    return [status, { ...fields(response), ...(Object.keys(given).length === 0 ? {} : { content: json }) }];
  });
  return {
    ...operation,
    ...(operation['requestBody'] === undefined ? {} : { requestBody: { ...body, content: accepted } }),
    responses: Object.fromEntries(responses) as Value,
  };
}

function visit(value: Value, schemas: Fields, reachable: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) visit(item, schemas, reachable);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const ref = value['$ref'];
  if (typeof ref === 'string') {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    if (!reachable.has(name)) {
      reachable.add(name);
      visit(schemas[name] ?? null, schemas, reachable);
    }
  }
  for (const inner of Object.values(value)) visit(inner, schemas, reachable);
}
