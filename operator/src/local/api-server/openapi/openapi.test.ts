import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Registry } from '../registry.js';
import { TestServer } from '../testing/server.js';
import { encodeV2 } from './v2.js';

// The messages and numbers are those of OpenAPIv2.proto in github.com/google/gnostic-models, as far as kubectl reads
// them; protobufjs, not our encoder's counterpart, decodes.
const GNOSTIC = `
syntax = "proto3";
message Document { string swagger = 1; Paths paths = 8; Definitions definitions = 9; }
message Paths { repeated NamedPathItem path = 2; }
message NamedPathItem { string name = 1; PathItem value = 2; }
message PathItem { Operation patch = 8; }
message Operation { repeated string consumes = 7; repeated NamedAny vendor_extension = 13; }
message NamedAny { string name = 1; Any value = 2; }
message Any { string yaml = 2; }
message Definitions { repeated NamedSchema additional_properties = 1; }
message NamedSchema { string name = 1; Schema value = 2; }
message Properties { repeated NamedSchema additional_properties = 1; }
message TypeItem { repeated string value = 1; }
message ItemsItem { repeated Schema schema = 1; }
message Schema {
  string _ref = 1; string description = 4; double maximum = 7; int64 max_length = 11; repeated string required = 19;
  TypeItem type = 22; ItemsItem items = 23; Properties properties = 25; repeated NamedAny vendor_extension = 31;
}`;
const protobuf = createRequire(import.meta.url)('protobufjs') as typeof import('protobufjs');
const Document = protobuf.parse(GNOSTIC, { keepCase: true }).root.lookupType('Document');

// biome-ignore lint/suspicious/noExplicitAny: a decoded message of any kind
const decoded = (bytes: Buffer): any => Document.toObject(Document.decode(bytes), { longs: Number });
const named = (list: { name: string; value: unknown }[]) =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

describe('OpenAPI v2', () => {
  it('says of each kind which patches it takes, and what it is made of', () => {
    const document = decoded(encodeV2(new Registry().all()));
    const paths = named(document.paths.path) as Record<
      string,
      { patch: { consumes: string[]; vendor_extension: { name: string; value: { yaml: string } }[] } }
    >;
    const { patch } = paths['/api/v1/namespaces/{namespace}/configmaps/{name}'] ?? {};
    expect(patch?.consumes).toEqual([
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ]);
    const extensions = named(patch?.vendor_extension ?? []) as Record<string, { yaml: string }>;
    expect(JSON.parse(extensions['x-kubernetes-group-version-kind']?.yaml ?? '')).toEqual({
      group: '',
      kind: 'ConfigMap',
      version: 'v1',
    });
    const definitions = named(document.definitions.additional_properties) as Record<
      string,
      {
        type: { value: string[] };
        properties: { additional_properties: { name: string; value: { _ref: string } }[] };
      }
    >;
    const pod = definitions['io.k8s.api.core.v1.Pod'];
    expect(pod?.type.value).toEqual(['object']);
    const properties = named(pod?.properties.additional_properties ?? []) as Record<string, { _ref: string }>;
    expect(properties['spec']?._ref).toBe('#/definitions/io.k8s.api.core.v1.PodSpec');
    expect(definitions['io.k8s.api.core.v1.PodSpec']).toBeDefined();
  });
});

describe('OpenAPI over HTTP', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());

  it('lists documents with their hashes, and each has its kinds', async () => {
    const { body } = await server.call('GET', '/openapi/v3');
    const { paths } = JSON.parse(body) as { paths: Record<string, { serverRelativeURL: string }> };
    expect(Object.keys(paths)).toContain('apis/test.example.com/v1');
    const url = paths['apis/test.example.com/v1']?.serverRelativeURL ?? '';
    const document = await server.call('GET', url);
    expect(Object.keys(document.body.components.schemas)).toContain('com.example.test.v1.Widget');
    const again = await server.call('GET', url, undefined, {
      'if-none-match': document.headers.get('etag') ?? '',
    });
    expect(again.status).toBe(304);
  });

  it('changes its hash with a definition', async () => {
    const before = (await server.call('GET', '/openapi/v3')).headers.get('etag');
    const spec = { names: { shortNames: ['wx'] } };
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.test.example.com';
    const crd = (await server.call('GET', path)).body;
    crd.spec.versions[0].schema.openAPIV3Schema.description = 'other';
    expect(
      (
        await server.call('PUT', path, {
          ...crd,
          spec: { ...crd.spec, ...spec, names: { ...crd.spec.names, ...spec.names } },
        })
      ).status,
    ).toBe(200);
    expect((await server.call('GET', '/openapi/v3')).headers.get('etag')).not.toBe(before);
  });
});
