import { stringify } from 'yaml';
import type { MesaCodes, PlannedStep } from './mesa-codes.ts';

/** What a script says of a service: which modality and station it is scheduled on. */
export interface ServiceUse {
  readonly service: string;
  readonly modality: string;
  readonly station: string | undefined;
}

interface Use {
  readonly modality: string;
  readonly stations: readonly string[];
}

/** Where no script says more, as most of the kit's scripts have it. */
const usual: Use = { modality: 'MR', stations: ['MR3T'] };

/** The catalogue that the kit's codes need, as the YAML file that `catalogue` of a site file names. */
export function catalogueOf({ services, steps }: MesaCodes, uses: readonly ServiceUse[]): string {
  const entries = [...services.values()].flatMap((service) => {
    const own = (steps.get(service.code) ?? []).filter((step) => step.protocols.every(fits));
    if (own.length === 0 || !fits(service)) return [];
    const use = useOf(service.code, uses);
    return [{ service, requestedProcedures: [{ code: service, steps: own.map((step) => entryOf(step, use)) }] }];
  });
  const says = '# The procedure plan of a MESA kit, written by swf-play mesa: name it as catalogue in the site file.\n';
  return `${says}${stringify(entries, { aliasDuplicateObjects: false })}`;
}

/** Code values and schemes have 16 characters, meanings 64 (SH, LO). */
function fits({ code, scheme, meaning }: { code: string; scheme: string; meaning: string }): boolean {
  return code.length <= 16 && scheme.length <= 16 && meaning.length <= 64 && meaning !== '';
}

/** The modality of the first script that schedules it, the stations of all. */
function useOf(service: string, uses: readonly ServiceUse[]): Use {
  const own = uses.filter((use) => use.service === service);
  const stations = [...new Set(own.flatMap(({ station }) => station ?? []))];
  const modality = own.find((use) => use.modality !== '')?.modality ?? usual.modality;
  return { modality, stations: stations.length > 0 ? stations : usual.stations };
}

function entryOf({ description, modality, station, protocols }: PlannedStep, use: Use): object {
  return {
    modality: modality ?? use.modality,
    stations: station === undefined ? use.stations : [station],
    minutes: 30,
    ...(description === '' ? {} : { description }),
    protocols,
  };
}
