import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PlayScenariosOptions, type Result, playScenarios } from '../../actors/play-scenarios.ts';
import { type Faults, type OrderFillerDouble, startOrderFillerDouble } from './order-filler.ts';
import { type TestSite, writeTestSite } from './site.ts';

export const simpleCase = fileURLToPath(new URL('../../scenarios/01-simple-case', import.meta.url));

/** A site of its own, an Order Filler in our place, and what the player prints. */
export interface TestStage {
  readonly site: TestSite;
  readonly lines: string[];
  readonly startDouble: (faults?: Faults) => Promise<OrderFillerDouble>;
  readonly play: (paths: readonly string[], more?: Partial<PlayScenariosOptions>) => Promise<Result>;
  /** Writes a scenario of the test's own; gives its folder. */
  readonly write: (steps: string, more?: { cast?: string; name?: string }) => string;
  /** Reads a file of a playing's transcript. */
  readonly kept: (run: string | undefined, file: string) => string;
  readonly end: () => Promise<void>;
}

export const order = '  - { step: Order, transaction: RAD-2, from: OP, send: order.hl7, ack: { MSA-1: AA } }\n';
export const announced = '  - { step: Told, transaction: RAD-4, to: IM, receive: ORM^O01 }\n';

export async function startTestStage(): Promise<TestStage> {
  const site = await writeTestSite();
  const lines: string[] = [];
  let double: OrderFillerDouble | undefined;
  const port = (name: string): number => site.ports[name] ?? 0;
  const transcripts = join(site.folder, 'transcripts');
  return {
    site,
    lines,
    startDouble: async (faults) => {
      double = await startOrderFillerDouble({ op: port('OP'), im: port('IM'), imDicom: port('IM dicom') }, faults);
      return double;
    },
    play: (paths, more = {}) =>
      playScenarios(paths, {
        site: site.file,
        of: `mllp://127.0.0.1:${double?.hl7Port ?? 1}`,
        ofDicom: `SWF_OF@127.0.0.1:${double?.dicomPort ?? 1}`,
        transcripts,
        environment: {},
        workingDirectory: site.folder,
        screen: { write: (line) => void lines.push(line), colour: false },
        signal: new AbortController().signal,
        ...more,
      }),
    write: (steps, { cast = '[ADT, OP, IM]', name = 'own' } = {}) => {
      const folder = join(site.folder, name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'order.hl7'), readFileSync(join(simpleCase, 'orm-new-order.hl7')));
      const head = `scenario: own\ntitle: Own\ncast: ${cast}\nwithin: 3s\n`;
      const lets = "let: { patientId: 'P${run}', patientName: X, placerOrderNumber: 'O${run}', day: '${today}' }\n";
      writeFileSync(join(folder, 'scenario.yaml'), `${head}${lets}steps:\n${steps}`);
      return folder;
    },
    kept: (run, file) => readFileSync(join(transcripts, run ?? '', file), 'utf8'),
    end: async () => {
      await double?.stop();
      site.remove();
    },
  };
}
