import { createHash } from 'node:crypto';
import type { Api } from './api.js';
import { PageNotFound } from './api-error.js';
import { aggregated } from './discovery.js';
import type { Call, Reply } from './http-server.js';
import type { JsonObject } from './json.js';
import { mediaRanges } from './media.js';
import type { OpenApi, Published } from './openapi/index.js';
import { discover } from './paths.js';

/** What describes the server as a whole: discovery and OpenAPI. Undefined for other paths. */
export function describeServer(
  api: Api,
  openapi: OpenApi,
  parts: readonly string[],
  call: Call,
): Reply | undefined {
  return published(openapi, parts, call) ?? discovered(api, parts, call);
}

const OPENAPI_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

function published(openapi: OpenApi, parts: readonly string[], call: Call): Reply | undefined {
  if (parts[0] !== 'openapi') return undefined;
  if (parts[1] === 'v2' && parts.length === 2) return tagged(openapi.v2(), OPENAPI_V2, call);
  if (parts[1] !== 'v3') throw new PageNotFound();
  if (parts.length === 2) {
    const text = Buffer.from(`${JSON.stringify(openapi.index())}\n`);
    return tagged({ text, etag: hash(text) }, 'text/plain; charset=utf-8', call);
  }
  const document = openapi.document(parts.slice(2).join('/'));
  if (document === undefined) throw new PageNotFound();
  return tagged(document, 'application/json', call);
}

function discovered(api: Api, parts: readonly string[], call: Call): Reply | undefined {
  const [root] = parts;
  if (parts.length === 1 && (root === 'api' || root === 'apis')) {
    const version = aggregatedVersion(call.accept);
    if (version !== undefined) {
      const text = Buffer.from(
        `${JSON.stringify(aggregated(api.registry.all(), root === 'api', version))}\n`,
      );
      const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      return tagged({ text, etag: hash(text) }, type, call, { vary: 'Accept' });
    }
  }
  const body: JsonObject | undefined = discover(api, parts, call.response.req.headers.host ?? '');
  return body === undefined ? undefined : { status: 200, body };
}

/** The first form that the client names decides: all groups in one document, or the classic one. */
function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const { type, parameters } of mediaRanges(accept)) {
    if (type !== 'application/json') continue;
    if (parameters.get('as') === undefined) return undefined;
    const version = parameters.get('v');
    const known =
      parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('as') === 'APIGroupDiscoveryList';
    if (known && (version === 'v2' || version === 'v2beta1')) return version;
  }
  return undefined;
}

function tagged(
  { text, etag }: Published,
  type: string,
  call: Call,
  more: Record<string, string> = {},
): Reply {
  const headers = { etag: `"${etag}"`, 'cache-control': 'no-cache, private', ...more };
  if (call.ifNoneMatch === headers.etag) return { status: 304, headers };
  return { status: 200, raw: text, headers: { 'content-type': type, ...headers } };
}

function hash(text: Buffer): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}
