import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PlayMesaOptions, playMesa } from '../../actors/play-mesa.ts';
import { smallKit, writeKit } from './mesa-folder.ts';
import { type Faults, type OrderFillerDouble, startOrderFillerDouble } from './order-filler.ts';
import { type TestSite, writeTestSite } from './site.ts';

let site: TestSite;
let kit: string;
let lines: string[];
let orderFiller: OrderFillerDouble | undefined;
beforeEach(async () => {
  site = await writeTestSite();
  kit = join(site.folder, 'kit');
  lines = [];
});
afterEach(async () => {
  await orderFiller?.stop();
  orderFiller = undefined;
  site.remove();
});

/** Plays against somebody else's Order Filler, which announces an order as soon as it has it. */
async function play(names: readonly string[], more: Partial<PlayMesaOptions> = {}, faults?: Faults): Promise<boolean> {
  const port = (name: string): number => site.ports[name] ?? 0;
  orderFiller = await startOrderFillerDouble({ op: port('OP'), im: port('IM'), imDicom: port('IM dicom') }, faults);
  return playMesa(kit, names, {
    site: site.file,
    of: `mllp://127.0.0.1:${orderFiller.hl7Port}`,
    ofDicom: `OF@127.0.0.1:${orderFiller.dicomPort}`,
    transcripts: join(site.folder, 'transcripts'),
    environment: {},
    workingDirectory: site.folder,
    screen: { write: (line) => void lines.push(line), colour: false },
    signal: new AbortController().signal,
    withinMs: 500,
    ...more,
  });
}

const upToRad4 = (smallKit['scenarios/900/900.txt'] ?? '').split('\n').slice(0, 7).join('\n');

describe("a kit played against somebody else's Order Filler", () => {
  it('asks the tester to schedule, compares RAD-4 by the lists of the kit and names what differs', async () => {
    writeKit(kit, { ...smallKit, 'scenarios/900/900.txt': upToRad4 });
    const asked: string[] = [];

    const passed = await play(['900'], { ask: async (text) => void asked.push(text), report: 'junit.xml' });

    expect(asked).toEqual(['schedule order N900: K1 (Knee), protocol K1A, modality MR, on station MR9']);
    expect(passed).toBe(false);
    expect(lines.filter((line) => line.includes('expected')).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['PID-3', 'expected 77001^^^REG', 'received 77001'],
      ['ORC-2', 'expected N900^KIT', 'received N900'],
      ['OBR-4', 'expected K1^Knee^KIT^K1A^Knee sagittal^KITP', 'received MRHEAD'],
    ]);
    const report = readFileSync(join(site.folder, 'junit.xml'), 'utf8');
    expect(report).toContain('<testsuite name="mesa-900" tests="5" failures="1" skipped="1"');
    expect(report).toContain('<skipped message="not of the Order Filler"/>');
  });

  it('given nobody at a terminal, then the script goes on: whoever schedules by himself passes', async () => {
    writeKit(kit, {
      ...smallKit,
      'scenarios/900/900.txt': upToRad4,
      'compare_ini/orm_sched_compare.ini': '[PID]\n3.1\n[OBR]\n24\n',
    });

    expect(await play(['900'])).toBe(true);
    expect(lines.join('\n')).toContain('nobody is at a terminal to do this at the Order Filler: schedule order N900');
    expect(lines.at(-1)).toContain('1 script, 1 passed, 0 failed');
  });

  it('given nobody at a terminal and nothing comes, then it was not played to its end and has not failed', async () => {
    writeKit(kit, { ...smallKit, 'scenarios/900/900.txt': upToRad4 });

    expect(await play(['900'], {}, { announcements: 0 })).toBe(false);
    expect(lines.at(-1)?.split('\n').at(-1)).toBe('1 script, 0 passed, 0 failed, 1 not played to the end');
  });

  it('writes the catalogue of the codes and plays nothing', async () => {
    writeKit(kit, smallKit);

    expect(await play([], { catalogueOut: 'out/catalogue.yaml' })).toBe(true);
    expect(readFileSync(join(site.folder, 'out', 'catalogue.yaml'), 'utf8')).toContain('code: K1A');
    expect(lines).toEqual(['out/catalogue.yaml  written: name it as catalogue in the site file']);
  });

  it('given a script that the kit does not have, then it says which it has', async () => {
    writeKit(kit, smallKit);

    await expect(play(['131'])).rejects.toThrow('131: the kit has no such script; it has 900, 901, 902');
  });
});
