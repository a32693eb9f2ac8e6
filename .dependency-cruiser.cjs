// The house: each folder may import only the folders listed after it, plus packages from npm.
// The files directly in src (cli*.ts, server.ts, site-files.ts) compose everything and may import every floor; test/ may go anywhere.
const MAY_IMPORT = {
  'src/platform': [],
  'src/hl7': ['src/platform'],
  'src/dicom': ['src/platform'],
  'src/workflow': ['src/platform'],
  'src/mapping': ['src/hl7', 'src/dicom', 'src/workflow', 'src/platform'],
  'src/store': ['src/workflow', 'src/platform'],
  'src/transactions': ['src/mapping', 'src/store', 'src/workflow', 'src/hl7', 'src/dicom', 'src/platform'],
  'src/delivery': ['src/transactions', 'src/store', 'src/hl7', 'src/dicom', 'src/platform'],
  'src/http': ['src/transactions', 'src/store', 'src/workflow', 'src/platform'],
  actors: ['src/hl7', 'src/dicom', 'src/platform'],
};

const floors = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder} imports downward only`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: '^(src|actors|test|prisma|scripts)/',
    pathNot: [folder, ...allowed].map((f) => `^${f}/`),
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...floors,
    { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'Prisma and pg live in the store',
      severity: 'error',
      from: { path: '^(src|actors)/', pathNot: '^src/store/' },
      to: { path: '(^|/)(@prisma/|pg$|node_modules/pg/|node_modules/@prisma/|src/store/generated/)' },
    },
    {
      name: 'the core and the mappings do no I/O',
      severity: 'error',
      from: { path: '^src/(workflow|mapping)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only the composition knows the composition',
      severity: 'error',
      from: { path: '^(src|actors)/', pathNot: '^src/[^/]+$' },
      to: { path: '^src/[^/]+$' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'src/store/generated'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
