/** A single watch event can hold one object, and objects are bounded by etcd to 1.5 MiB: this is generous. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Without the excerpt that JSON.parse puts into its message: what did not parse may hold a secret. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError(`${Buffer.byteLength(text)} bytes that are not JSON`);
  }
}

/** Splits a byte stream at newlines and parses each line as JSON. A last line without newline was cut off: dropped. */
export async function* decodeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = length === 0 ? rest.subarray(0, end) : Buffer.concat([...parts, rest.subarray(0, end)]);
      parts = [];
      length = 0;
      rest = rest.subarray(end + 1);
      if (line.length > 0) yield parseJson(line.toString('utf8'));
    }
    if (rest.length > 0) {
      // Copied: the chunk's memory may be reused by the socket.
      parts.push(Buffer.from(rest));
      length += rest.length;
      if (length > MAX_LINE_BYTES)
        throw new RangeError(`a line of the stream is longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
}
