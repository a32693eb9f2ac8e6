import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Dataset, toDicomJson } from '../src/dicom/dataset.ts';
import type { Exchange } from './wire.ts';

/** The folder of one playing: every message and dataset of both directions, as files a person can read. */
export interface Transcript {
  readonly folder: string;
  /** Keeps an HL7 message, one segment a line; returns the path as shown to a person. */
  hl7(name: string, bytes: Uint8Array): string;
  /** Keeps a dataset as DICOM JSON (PS3.18 Annex F); returns the path as shown to a person. */
  dicom(name: string, dataset: Dataset): string;
  /** Keeps anything else as JSON; returns the path as shown to a person. */
  json(name: string, value: unknown): string;
  /** Writes `exchanges.txt`: everything in its order, a line each. */
  contents(exchanges: readonly Exchange[]): void;
}

/** Opens `DIR/RUN`, making it when it is not there. */
export function openTranscript(directory: string, run: string): Transcript {
  const folder = join(directory, run);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return relative(process.cwd(), path) || path;
  };
  const json = (name: string, value: unknown): string =>
    write(`${name}.json`, `${JSON.stringify(value, undefined, 2)}\n`);
  return {
    folder,
    hl7: (name, bytes) => write(`${name}.hl7`, withLineFeeds(bytes)),
    dicom: (name, dataset) => json(name, toDicomJson(dataset)),
    json,
    contents: (exchanges) => void write('exchanges.txt', exchanges.map((one) => `${lineOf(one)}\n`).join('')),
  };
}

function lineOf({ at, from, to, type, file, answer }: Exchange): string {
  const answered = answer ? `${answer.code} after ${answer.at - at} ms` : 'no answer';
  const names = [file, answer?.file].flatMap((path) => path?.split(/[\\/]/).at(-1) ?? []);
  return [new Date(at).toISOString(), `${from} → ${to}`.padEnd(12), type.padEnd(8), answered, ...names].join('  ');
}

/** Segment ends become line feeds; all other bytes stay, in whatever character set they are. */
function withLineFeeds(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte) => (byte === 0x0d ? 0x0a : byte));
}
