import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Io, UsageError } from './cli-io.ts';

async function contentOf(name: string, io: Io): Promise<Buffer> {
  if (name !== '-') return readFile(resolve(io.workingDirectory, name));
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The segments of a file: LF, CR LF or CR end one; a byte order mark and the frame of MLLP do not count. */
function segmentsOf(content: Buffer): string[] {
  const text = content.toString('latin1').replace(/^\xEF\xBB\xBF/, '');
  // eslint-disable-next-line no-control-regex
  return text.split(/[\r\n\x0B\x1C]+/).filter((line) => line !== '');
}

/** One HL7 message from a file, `-` is standard input: each segment ends with CR (HL7 v2.5.1 2.5.1). Throws UsageError. */
export async function readHl7File(name: string, io: Io): Promise<Uint8Array> {
  const shown = name === '-' ? 'standard input' : basename(name);
  const content = await contentOf(name, io).catch(() => {
    throw new UsageError(`${shown} cannot be read`);
  });
  const segments = segmentsOf(content);
  if (!segments[0]?.startsWith('MSH')) throw new UsageError(`${shown} is no HL7 message: it does not begin with MSH`);
  const messages = segments.filter((segment) => /^MSH[^A-Za-z0-9]/.test(segment)).length;
  if (messages > 1) throw new UsageError(`${shown} holds ${messages} messages: send one at a time`);
  return Buffer.from(segments.map((segment) => `${segment}\r`).join(''), 'latin1');
}
