import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const hidden = (object, property, message) => ({ object, property, message });

export default tseslint.config(
  { ignores: ['node_modules/', 'src/store/generated/', 'data/', 'transcripts/', '**/*.cjs', 'dist/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 320, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // Time, chance and the environment are handed in (docs/style.md).
    files: ['src/**/*.ts'],
    ignores: ['src/platform/**', 'src/cli.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        hidden('Date', 'now', 'take the time from the Clock that is handed in'),
        hidden('Math', 'random', 'take random values from platform/ids.ts'),
        hidden('process', 'env', 'settings come from platform/config.ts'),
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'take the time from the Clock that is handed in',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'actors/**/*.ts', 'prisma/**/*.ts', 'scripts/**'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': ['error', { max: 500 }] },
  },
  {
    files: ['scripts/**/*.mjs', 'bin/*.js', 'prisma/engine/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        globalThis: 'readonly',
        structuredClone: 'readonly',
      },
    },
    rules: { 'no-console': 'off' },
  },
);
