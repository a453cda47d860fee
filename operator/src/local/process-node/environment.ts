import type { Container, EnvVar, Pod } from '../../kube/pod.js';

/** Why a container cannot be configured; shown as CreateContainerConfigError, tried again. */
export class ConfigError extends Error {}

/** What env entries may refer to. */
export interface EnvSources {
  readonly podIP: string;
  readonly hostIP: string;
  readonly nodeName: string;
  /** Decoded values; undefined when there is no such object. */
  secret(name: string): Readonly<Record<string, string>> | undefined;
  configMap(name: string): Readonly<Record<string, string>> | undefined;
}

/** The variables a container declares, in order, with $(NAME) of earlier ones put in. */
export function environmentOf(pod: Pod, container: Container, sources: EnvSources): Record<string, string> {
  const result: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    const value = resolve(pod, variable, sources);
    if (value !== undefined) result[variable.name] = expand(value, result);
  }
  return result;
}

/** $(NAME) → its value; $$(NAME) → the text "$(NAME)"; an unknown name stays as it is. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/g, (found, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(variables, name) ? (variables[name] ?? '') : found;
  });
}

function resolve(pod: Pod, variable: EnvVar, sources: EnvSources): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return variable.value ?? '';
  if (from.fieldRef !== undefined) return fieldOf(pod, from.fieldRef.fieldPath, sources);
  if (from.secretKeyRef !== undefined)
    return keyOf('secret', from.secretKeyRef, sources.secret(from.secretKeyRef.name));
  if (from.configMapKeyRef !== undefined) {
    return keyOf('configmap', from.configMapKeyRef, sources.configMap(from.configMapKeyRef.name));
  }
  throw new ConfigError(`env ${variable.name}: valueFrom must be fieldRef, secretKeyRef or configMapKeyRef`);
}

function keyOf(
  what: string,
  reference: { name: string; key: string; optional?: boolean },
  data: Readonly<Record<string, string>> | undefined,
): string | undefined {
  const value = data?.[reference.key];
  if (value !== undefined || reference.optional === true) return value;
  if (data === undefined) throw new ConfigError(`${what} "${reference.name}" not found`);
  throw new ConfigError(`couldn't find key ${reference.key} in ${what} ${reference.name}`);
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['([^']+)'\]$/;

function fieldOf(pod: Pod, path: string, sources: EnvSources): string {
  const subscript = SUBSCRIPT.exec(path);
  if (subscript !== null) {
    const [, map, key = ''] = subscript;
    return pod.metadata?.[map as 'labels' | 'annotations']?.[key] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return pod.metadata?.name ?? '';
    case 'metadata.namespace':
      return pod.metadata?.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata?.uid ?? '';
    case 'spec.nodeName':
      return sources.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.podIP':
    case 'status.podIPs':
      return sources.podIP;
    case 'status.hostIP':
      return sources.hostIP;
    default:
      throw new ConfigError(
        `fieldPath "${path}" is not supported; supported are metadata.{name,namespace,uid,labels['…'],annotations['…']}, spec.{nodeName,serviceAccountName}, status.{podIP,hostIP}`,
      );
  }
}
