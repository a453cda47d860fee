// The contract between sidecars, agent and execution core: messages, and services over grpc-js.

export { create, fromJson, type MessageInitShape, type MessageShape, toJson } from '@bufbuild/protobuf';
export * from './gen/flashpod/v1/agent_pb.js';
export * from './gen/flashpod/v1/common_pb.js';
export * from './gen/flashpod/v1/strategy_pb.js';
export * from './grpc.js';
