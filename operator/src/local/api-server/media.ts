import { ApiError } from './api-error.js';

/** In which form an answer is wanted. */
export interface View {
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Of meta.k8s.io, for the forms that are its kinds. */
  readonly version: string;
}

const WHOLE: View = { as: 'object', version: 'v1' };
const FORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;
const JSON_TYPES = new Set(['application/json', 'application/*', '*/*', '']);

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The media ranges of an Accept header, in its order. */
export function mediaRanges(accept: string | undefined): MediaRange[] {
  return (accept ?? '').split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const pairs = parameters.map((parameter) => {
      const [name = '', value = ''] = parameter.split('=', 2);
      return [name.trim(), value.trim()] as const;
    });
    return { type: type.toLowerCase(), parameters: new Map(pairs) };
  });
}

/** The first form of the Accept header that is served; 406 when there is none. */
export function viewOf(accept: string | undefined): View {
  for (const { type, parameters } of mediaRanges(accept)) {
    if (!JSON_TYPES.has(type)) continue;
    const form = parameters.get('as');
    if (form === undefined) return WHOLE;
    const version = parameters.get('v') ?? '';
    const known = FORMS.find((candidate) => candidate === form);
    if (
      known !== undefined &&
      parameters.get('g') === 'meta.k8s.io' &&
      (version === 'v1' || version === 'v1beta1')
    )
      return { as: known, version };
  }
  throw new ApiError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/json;as=Table;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  );
}
