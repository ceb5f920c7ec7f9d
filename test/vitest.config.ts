import { defineConfig } from 'vitest/config';

/** Two projects: pure modules run side by side; everything that owns sockets or workerd runs one file at a time on 2 cores. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          root: '.',
          include: ['test/**/*.test.ts'],
          exclude: ['test/worker/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'worker',
          root: '.',
          include: ['test/worker/**/*.test.ts'],
          maxWorkers: 3,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
