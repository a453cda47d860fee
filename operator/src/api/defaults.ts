// What the API leaves open and the operator decides.

/** Version of the images that go with this operator. */
export const version = '0.1.0';

export interface Images {
  readonly core: string;
  readonly agent: string;
  readonly sidecar: string;
}

/** Images of this version under `registry`, e.g. `flashpod` or `ghcr.io/acme/flashpod`. */
export function images(registry = 'flashpod', tag = version): Images {
  return {
    core: `${registry}/core:${tag}`,
    agent: `${registry}/agent:${tag}`,
    sidecar: `${registry}/sidecar:${tag}`,
  };
}

/** MEXC's own hosts, for accounts without endpoints. */
export const venueEndpoints = { rest: 'https://api.mexc.com', ws: 'wss://wbs-api.mexc.com/ws' } as const;

export const sidecarHttpPort = 9464;
/** Long enough for the core to cancel, flatten and bring its journal to disk. */
export const coreGraceSeconds = 30;
export const sidecarGraceSeconds = 10;
/** After that a stop that is not proven says how to get out. */
export const flattenStuckAfterMs = 60_000;

/** Service account of the agent, which reads and writes the API. */
export const agentServiceAccount = 'flashpod-agent';

/** How often the agent writes the status of an object at most, and at least. */
export const statusEveryMs = 1_000;
export const checkpointEveryMs = 10_000;
