import { badRequest, unsupportedMediaType } from './api-error.js';
import type { Json, JsonObject } from './json.js';

/**
 * Kubernetes' protobuf bodies, as far as kubectl sends them: `kubectl create namespace|configmap|secret`. Field
 * numbers are those of generated.proto in k8s.io/api/core/v1 and k8s.io/apimachinery/pkg/apis/meta/v1.
 */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

type Reader = (value: Buffer | bigint) => Json;
interface FieldRule {
  readonly name: string;
  readonly read: Reader;
  readonly repeated?: boolean;
  /** Entries of a map; their values are read so. */
  readonly map?: Reader;
}
type Shape = ReadonlyMap<number, FieldRule>;

const MAGIC = Buffer.from('k8s\0');

const text: Reader = (value) => (Buffer.isBuffer(value) ? value.toString('utf8') : String(value));
const base64: Reader = (value) => (Buffer.isBuffer(value) ? value.toString('base64') : '');
const flag: Reader = (value) => value === 1n;
const integer: Reader = (value) => (typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0);
const message =
  (shape: () => Shape): Reader =>
  (value) =>
    Buffer.isBuffer(value) ? decode(value, shape()) : {};

const OWNER: Shape = shapeOf({
  1: { name: 'kind', read: text },
  3: { name: 'name', read: text },
  4: { name: 'uid', read: text },
  5: { name: 'apiVersion', read: text },
  6: { name: 'controller', read: flag },
  7: { name: 'blockOwnerDeletion', read: flag },
});
const META: Shape = shapeOf({
  1: { name: 'name', read: text },
  2: { name: 'generateName', read: text },
  3: { name: 'namespace', read: text },
  5: { name: 'uid', read: text },
  6: { name: 'resourceVersion', read: text },
  7: { name: 'generation', read: integer },
  11: { name: 'labels', read: text, map: text },
  12: { name: 'annotations', read: text, map: text },
  13: { name: 'ownerReferences', read: message(() => OWNER), repeated: true },
  14: { name: 'finalizers', read: text, repeated: true },
});
const metadata: FieldRule = { name: 'metadata', read: message(() => META) };

const KINDS: Readonly<Record<string, Shape>> = {
  Namespace: shapeOf({ 1: metadata }),
  ConfigMap: shapeOf({
    1: metadata,
    2: { name: 'data', read: text, map: text },
    3: { name: 'binaryData', read: text, map: base64 },
    4: { name: 'immutable', read: flag },
  }),
  Secret: shapeOf({
    1: metadata,
    2: { name: 'data', read: text, map: base64 },
    3: { name: 'type', read: text },
    4: { name: 'stringData', read: text, map: text },
    5: { name: 'immutable', read: flag },
  }),
};

/** runtime.Unknown: the type of what it holds, and that as bytes. */
const UNKNOWN: Shape = shapeOf({
  1: {
    name: 'typeMeta',
    read: message(() => shapeOf({ 1: { name: 'apiVersion', read: text }, 2: { name: 'kind', read: text } })),
  },
  2: { name: 'raw', read: base64 },
});

export function decodeProtobuf(body: Buffer, accepted: readonly string[]): Json {
  if (!body.subarray(0, 4).equals(MAGIC))
    throw badRequest(`the body, ${body.length} bytes, is not protobuf of Kubernetes`);
  const { typeMeta, raw } = decode(body.subarray(4), UNKNOWN) as { typeMeta?: JsonObject; raw?: string };
  const kind = String(typeMeta?.['kind'] ?? '');
  const shape = KINDS[kind];
  if (shape === undefined || typeMeta?.['apiVersion'] !== 'v1')
    throw unsupportedMediaType(accepted, `of protobuf, only Namespaces, ConfigMaps and Secrets`);
  return { ...typeMeta, ...decode(Buffer.from(raw ?? '', 'base64'), shape) };
}

function decode(bytes: Buffer, shape: Shape): JsonObject {
  const result: JsonObject = {};
  for (const [number, value] of fieldsOf(bytes)) {
    const rule = shape.get(number);
    if (rule === undefined) continue;
    if (rule.map !== undefined) {
      const entry = new Map(Buffer.isBuffer(value) ? fieldsOf(value) : []);
      const entries = (result[rule.name] ?? {}) as JsonObject;
      result[rule.name] = {
        ...entries,
        [String(text(entry.get(1) ?? Buffer.of()))]: rule.map(entry.get(2) ?? Buffer.of()),
      };
    } else if (rule.repeated === true) {
      result[rule.name] = [...((result[rule.name] ?? []) as Json[]), rule.read(value)];
    } else {
      const read = rule.read(value);
      // What has no value is written as an empty one, in this encoding.
      if (read !== '') result[rule.name] = read;
    }
  }
  return result;
}

function* fieldsOf(bytes: Buffer): Generator<[number, Buffer | bigint]> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) throw badRequest('the protobuf body ends within a field');
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw badRequest('the protobuf body has a number that is too long');
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const kind = Number(tag & 7n);
    if (kind === 0) {
      yield [number, varint()];
      continue;
    }
    const length = kind === 2 ? Number(varint()) : kind === 1 ? 8 : kind === 5 ? 4 : -1;
    if (length < 0 || at + length > bytes.length) throw badRequest('the protobuf body ends within a field');
    yield [number, bytes.subarray(at, at + length)];
    at += length;
  }
}

function shapeOf(rules: Readonly<Record<number, FieldRule>>): Shape {
  return new Map(Object.entries(rules).map(([number, rule]) => [Number(number), rule]));
}
