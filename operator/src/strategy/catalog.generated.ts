// Generated from strategy-pods/strategies/*/schema.json by operator/scripts/generate-catalog.mjs; do not edit.

/** Built-in strategies, and the JSON schema of the parameters of each. */
export const catalog: Readonly<Record<string, object>> = {};
