// grpc-js clients and servers from protobuf-es service descriptors.

import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageShape,
} from '@bufbuild/protobuf';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';

type Callback<O> = (error: grpc.ServiceError | null, reply?: O) => void;

/** The call that a client makes for one method. */
type ClientMethod<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (
        request: MessageShape<I>,
        metadata: grpc.Metadata,
        options: grpc.CallOptions,
        callback: Callback<MessageShape<O>>,
      ) => grpc.ClientUnaryCall
    : M extends DescMethodBiDiStreaming<infer I, infer O>
      ? (
          metadata?: grpc.Metadata,
          options?: grpc.CallOptions,
        ) => grpc.ClientDuplexStream<MessageShape<I>, MessageShape<O>>
      : M extends DescMethodServerStreaming<infer I, infer O>
        ? (
            request: MessageShape<I>,
            metadata?: grpc.Metadata,
            options?: grpc.CallOptions,
          ) => grpc.ClientReadableStream<MessageShape<O>>
        : M extends DescMethodClientStreaming<infer I, infer O>
          ? (
              metadata: grpc.Metadata,
              options: grpc.CallOptions,
              callback: Callback<MessageShape<O>>,
            ) => grpc.ClientWritableStream<MessageShape<I>>
          : never;

/** The handler that a server gives for one method. */
type ServerMethod<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? grpc.handleUnaryCall<MessageShape<I>, MessageShape<O>>
    : M extends DescMethodBiDiStreaming<infer I, infer O>
      ? grpc.handleBidiStreamingCall<MessageShape<I>, MessageShape<O>>
      : M extends DescMethodServerStreaming<infer I, infer O>
        ? grpc.handleServerStreamingCall<MessageShape<I>, MessageShape<O>>
        : M extends DescMethodClientStreaming<infer I, infer O>
          ? grpc.handleClientStreamingCall<MessageShape<I>, MessageShape<O>>
          : never;

export type ServiceClient<S extends DescService> = grpc.Client & {
  [K in keyof S['method']]: ClientMethod<S['method'][K]>;
};
export type ServiceHandlers<S extends DescService> = {
  [K in keyof S['method']]: ServerMethod<S['method'][K]>;
};

/** The grpc-js definition of a service, keyed by the lower-camel names of its methods. */
export function serviceDefinition(service: DescService): grpc.ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => {
      const clientStream = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
      const serverStream = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
      const definition: grpc.MethodDefinition<object, object> = {
        path: `/${service.typeName}/${method.name}`,
        requestStream: clientStream,
        responseStream: serverStream,
        requestSerialize: serializer(method.input),
        requestDeserialize: (bytes) => fromBinary(method.input, bytes),
        responseSerialize: serializer(method.output),
        responseDeserialize: (bytes) => fromBinary(method.output, bytes),
      };
      return [method.localName, definition];
    }),
  );
}

function serializer(schema: DescMessage): (message: object) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message as MessageShape<DescMessage>);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/** A client of `service` at `address`, e.g. `unix:/run/flashpod/session/core.sock`. */
export function makeClient<S extends DescService>(
  service: S,
  address: string,
  credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
  options: grpc.ClientOptions = {},
): ServiceClient<S> {
  const Client = grpc.makeGenericClientConstructor(serviceDefinition(service), service.typeName);
  return new Client(address, credentials, options) as unknown as ServiceClient<S>;
}

/** Registers the handlers of `service` on a grpc-js server. */
export function serve<S extends DescService>(
  server: grpc.Server,
  service: S,
  handlers: ServiceHandlers<S>,
): void {
  server.addService(serviceDefinition(service), handlers as unknown as grpc.UntypedServiceImplementation);
}
