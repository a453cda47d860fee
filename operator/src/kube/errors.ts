import { type ErrorCode, FlashpodError } from '../errors.js';
import type { KubeStatus, StatusCause } from './types.js';

/** `reason` of metav1.Status; other reasons may come from newer servers. */
export type StatusReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'Gone'
  | 'Expired'
  | 'TooManyRequests'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'UnsupportedMediaType'
  | 'RequestEntityTooLarge'
  | 'Timeout'
  | 'ServerTimeout'
  | 'ServiceUnavailable'
  | 'InternalError'
  | 'Unknown'
  | (string & {});

const REASON_OF_STATUS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const CODE_OF_REASON: Readonly<Record<string, ErrorCode>> = {
  NotFound: 'kube.not-found',
  AlreadyExists: 'kube.already-exists',
  Conflict: 'kube.conflict',
  Invalid: 'kube.invalid',
  BadRequest: 'kube.invalid',
  Unauthorized: 'kube.unauthorized',
  Forbidden: 'kube.forbidden',
  Gone: 'kube.expired',
  Expired: 'kube.expired',
  TooManyRequests: 'kube.throttled',
  MethodNotAllowed: 'kube.unsupported',
  UnsupportedMediaType: 'kube.unsupported',
  NotAcceptable: 'kube.unsupported',
};

/** The server answered, and the answer is no. */
export class KubeStatusError extends FlashpodError {
  readonly httpStatus: number;
  readonly reason: StatusReason;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds: number | undefined;
  readonly status: KubeStatus;

  constructor(status: KubeStatus, httpStatus: number) {
    const reason = status.reason ?? REASON_OF_STATUS[httpStatus] ?? 'Unknown';
    super(
      CODE_OF_REASON[reason] ?? 'kube.status',
      status.message ?? `the API server answered ${httpStatus} ${reason}`,
    );
    this.httpStatus = httpStatus;
    this.reason = reason;
    this.causes = status.details?.causes ?? [];
    this.retryAfterSeconds = status.details?.retryAfterSeconds;
    this.status = status;
  }
}

/** No answer, or not one of Kubernetes: refused connection, reset, time-out, HTML of a proxy. */
export class KubeTransportError extends FlashpodError {
  /** True when the request may have reached the server, so that a write may have happened. */
  readonly maybeApplied: boolean;

  constructor(message: string, options: { cause?: unknown; maybeApplied: boolean; code?: ErrorCode }) {
    super(options.code ?? 'kube.unreachable', message, { cause: options.cause });
    this.maybeApplied = options.maybeApplied;
  }
}

function hasReason(error: unknown, ...reasons: StatusReason[]): error is KubeStatusError {
  return error instanceof KubeStatusError && reasons.includes(error.reason);
}

export const isNotFound = (error: unknown): error is KubeStatusError => hasReason(error, 'NotFound');
export const isConflict = (error: unknown): error is KubeStatusError => hasReason(error, 'Conflict');
export const isAlreadyExists = (error: unknown): error is KubeStatusError =>
  hasReason(error, 'AlreadyExists');
export const isInvalid = (error: unknown): error is KubeStatusError => hasReason(error, 'Invalid');
/** The resource version or continue token is older than what the server keeps: list again. */
export const isExpired = (error: unknown): error is KubeStatusError => hasReason(error, 'Gone', 'Expired');
