import { type FieldError, fieldError } from '../field-errors.js';

/** The formats that the API server enforces and that our CRDs may use; an unknown format is an annotation. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  duration: /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  ipv4: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
};

export function formatProblem(
  format: string | undefined,
  value: string,
  path: string,
): FieldError | undefined {
  const pattern = format === undefined ? undefined : FORMATS[format];
  if (pattern === undefined || pattern.test(value)) return undefined;
  return fieldError.invalid(
    path,
    value,
    `${path} in body must be of type ${format}: ${JSON.stringify(value)}`,
  );
}
