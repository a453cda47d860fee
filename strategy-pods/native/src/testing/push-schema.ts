// MEXC's push schema through protobufjs: an implementation of protobuf that is not ours.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const file = fileURLToPath(new URL('../../../../core-engine/proto/mexc/push.proto', import.meta.url));

export const wrapper: protobuf.Type = protobuf.loadSync(file).lookupType('PushDataV3ApiWrapper');

/** Fields under their names in the schema, 64-bit numbers as JavaScript numbers, missing ones as defaults. */
export function decodeWithProtobufjs(bytes: Uint8Array): Record<string, unknown> {
  return wrapper.toObject(wrapper.decode(bytes), { longs: Number, defaults: false, arrays: true });
}

export function encodeWithProtobufjs(frame: Record<string, unknown>): Uint8Array {
  return wrapper.encode(wrapper.fromObject(frame)).finish();
}
