/** What `stations[].quirks` may say of a device that asks for a worklist (RAD-5), each with the device it is for. */
export const worklistQuirks = {
  'own-station-only':
    'Only steps that are offered to its AE title are shown. For a device that never sends Scheduled Station AE Title (0040,0001) and would list the whole department.',
  'ignore-station':
    'Its key Scheduled Station AE Title (0040,0001) is not looked at. For a device that sends another title there than the plan has.',
  'ignore-modality':
    'Its key Modality (0008,0060) is not looked at. For a device that asks for one modality and performs another as well (CR and DX, PT and CT).',
  'ignore-date':
    'Its keys Start Date and Start Time are not looked at. For a device that always asks for today, or whose clock is wrong.',
  'any-step-status':
    'Its key Scheduled Procedure Step Status (0040,0020) is not looked at. For a device that asks for SCHEDULED and must show patients who have arrived.',
  'name-prefix': "A Patient's Name without `*` means a beginning. For a device that sends what was typed as it is.",
  'pending-ff00':
    'Matches are sent with FF00 also where a key is not supported. For a device that takes FF01 for an error.',
  'drop-empty':
    'Attributes and sequences without a value are left out, type 2 as well. For a device that cannot read zero length.',
  'single-station':
    'Scheduled Station AE Title has one value: of those that it asked for, its own where it is among them, else the first. For a device that reads one value, or compares the whole text.',
} as const satisfies Readonly<Record<string, string>>;

export type WorklistQuirk = keyof typeof worklistQuirks;

export const worklistQuirkNames = Object.keys(worklistQuirks) as [WorklistQuirk, ...WorklistQuirk[]];
