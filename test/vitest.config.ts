import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// What takes longest begins first, else it runs alone at the end while one core looks on.
const LONGEST = [
  'demo',
  'demo-ab',
  'shadow-truth',
  'rollout-faults',
  'faults-config',
  'rollout-plans',
  'rollout-people',
  'start',
  'rollout-way-back',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/worker/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** Two projects: pure modules, and what owns sockets or workerd. The files of each share their few workers, which saves a minute of loading. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          root: '.',
          include: ['test/**/*.test.ts'],
          exclude: ['test/worker/**'],
          isolate: false,
          maxWorkers: 4,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'worker',
          isolate: false,
          root: '.',
          include: ['test/worker/**/*.test.ts'],
          maxWorkers: 4,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
