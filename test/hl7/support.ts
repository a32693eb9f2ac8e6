import { SwfError } from '../../src/platform/errors.ts';

/** The bytes of a message that is written with one line a segment. */
export function bytesOf(lines: readonly string[], encoding: BufferEncoding = 'utf8'): Uint8Array {
  return Buffer.from(lines.map((line) => `${line}\r`).join(''), encoding);
}

/** The lines of a message. */
export function linesOf(bytes: Uint8Array, encoding: BufferEncoding = 'utf8'): string[] {
  return Buffer.from(bytes).toString(encoding).split('\r').slice(0, -1);
}

/** Code and location of the failure that a call ends in. */
export function failureOf(call: () => unknown): { code: string; location: string | undefined } {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof SwfError) return { code: thrown.code, location: thrown.place.location };
    throw thrown;
  }
  throw new Error('it did not fail');
}

/** A promise with its handles. */
export function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (cause: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
