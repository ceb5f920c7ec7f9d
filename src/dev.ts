/** The Worker's face in development: that of `index.ts`, and the local recorder, which no deployed Worker carries. */

export * from './index.ts';
export { default } from './index.ts';
export { Recorder } from './records/recorder.ts';
