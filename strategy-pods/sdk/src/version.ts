/** Told to the core in Hello; equal to the version in package.json. */
export const sdkVersion = '0.1.0';
