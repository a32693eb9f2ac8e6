import { type Dataset, dataset, items, text } from '../src/dicom/dataset.ts';

/** What Image Managers hold, as scenarios say. */
export interface Archive {
  /** Stores the instances that a data set names as a notification would (PS3.4 table R.3.2-1). */
  store(actor: string, named: Dataset): void;
  /** The instances that fit the keys of a query at IMAGE level; none at another level. */
  find(actor: string, identifier: Dataset): readonly Dataset[];
}

const uniqueKeys = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'] as const;

function instancesOf(named: Dataset): Dataset[] {
  return items(named, 'ReferencedSeriesSequence').flatMap((series) =>
    items(series, 'ReferencedSOPSequence').map((instance) =>
      dataset({
        StudyInstanceUID: text(named, 'StudyInstanceUID') ?? null,
        SeriesInstanceUID: text(series, 'SeriesInstanceUID') ?? null,
        SOPClassUID: text(instance, 'ReferencedSOPClassUID') ?? null,
        SOPInstanceUID: text(instance, 'ReferencedSOPInstanceUID') ?? null,
        InstanceAvailability: text(instance, 'InstanceAvailability') ?? 'ONLINE',
        RetrieveAETitle: text(instance, 'RetrieveAETitle') ?? null,
      }),
    ),
  );
}

function fits(instance: Dataset, identifier: Dataset): boolean {
  return uniqueKeys.every((key) => {
    const wanted = text(identifier, key);
    return wanted === undefined || wanted === text(instance, key);
  });
}

/** An instance with the attributes that were asked for. */
function answer(instance: Dataset, identifier: Dataset): Dataset {
  const asked = Object.keys(identifier).map((key) => [key, instance[key] ?? []] as const);
  return { ...Object.fromEntries(asked), QueryRetrieveLevel: ['IMAGE'] };
}

/** Archives that hold nothing yet. */
export function createArchive(): Archive {
  const held = new Map<string, Dataset[]>();
  return {
    store: (actor, named) => void held.set(actor, [...(held.get(actor) ?? []), ...instancesOf(named)]),
    find: (actor, identifier) => {
      if (text(identifier, 'QueryRetrieveLevel') !== 'IMAGE') return [];
      const found = (held.get(actor) ?? []).filter((instance) => fits(instance, identifier));
      return found.map((instance) => answer(instance, identifier));
    },
  };
}
